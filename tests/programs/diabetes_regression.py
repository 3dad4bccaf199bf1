"""Diabetes progression from ten standardised features: a small MLP, mean squared error, SGD with momentum."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler


def main(args):
    torch.manual_seed(args.seed)
    features, target = load_diabetes(return_X_y=True, scaled=False)
    x = torch.from_numpy(StandardScaler().fit_transform(features)).float()
    y = torch.from_numpy(StandardScaler().fit_transform(target[:, None])).float()
    net = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    optim = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    mse = torch.nn.MSELoss()
    for epoch in range(1, args.epochs + 1):
        losses = []
        for index in torch.randperm(len(x)).chunk(14):
            optim.zero_grad()
            loss = mse(net(x[index]), y[index])
            loss.backward()
            optim.step()
            losses.append(loss.detach())
        if epoch % 10 == 0:
            print(f"epoch {epoch} mse {torch.stack(losses).mean():.4f}")
    with torch.no_grad():
        print(f"final loss {mse(net(x), y):.4f}")
    save_state(net=net, optim=optim)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--lr", type=float, default=0.02)
    main(parser.parse_args())
