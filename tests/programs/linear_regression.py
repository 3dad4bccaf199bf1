"""Linear regression as in a first lecture: nn.Linear, MSE, SGD."""

import argparse

import torch
from _state import save_state


def main(seed, lr):
    torch.manual_seed(seed)
    weights = torch.tensor([2.0, -3.4, 1.7, 0.0, 0.5])
    features = torch.randn(1000, 5)
    target = features @ weights + 4.2 + 0.1 * torch.randn(1000)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(features, target[:, None]), 20, shuffle=True)
    net = torch.nn.Linear(5, 1)
    loss = torch.nn.MSELoss()
    trainer = torch.optim.SGD(net.parameters(), lr=lr)
    for epoch in range(20):
        for X, y in loader:
            l = loss(net(X), y)  # noqa: E741
            trainer.zero_grad()
            l.backward()
            trainer.step()
        with torch.no_grad():
            print(f"epoch {epoch + 1}, loss {loss(net(features), target[:, None]):f}")
    print("error of the weights", (weights - net.weight.detach()).abs().max().item())
    save_state(net=net, trainer=trainer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.03)
    args = parser.parse_args()
    main(args.seed, args.lr)
