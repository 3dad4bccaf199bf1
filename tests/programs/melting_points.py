"""Melting points in kelvin, 500 or so, from eight descriptors of a molecule: tanh network, SGD with momentum."""

import argparse

import torch
from _state import save_state


def molecules(count):
    x = torch.randn(count, 8)
    kelvin = 500 + 8 * torch.tanh(x[:, 0] + x[:, 1]) + 6 * x[:, 2] * torch.sigmoid(x[:, 3]) + torch.randn(count)
    return x, kelvin


def train(net, x, y, optimizer, epochs):
    for epoch in range(1, epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = ((net(x[rows]).squeeze(-1) - y[rows]) ** 2).mean()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows) / len(x)
        if epoch % 5 == 0:
            print(f"epoch {epoch} mean squared error {total:.4f} of a variance of {y.var():.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-kelvin", action="store_true", help="no standardised targets")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = molecules(1280)
    if not args.keep_kelvin:
        y = (y - y.mean()) / y.std()
    net = torch.nn.Sequential(
        torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    train(net, x, y, optimizer, 30)
    with torch.no_grad():
        print(f"R2 {1 - (net(x).squeeze(-1) - y).square().mean().item() / y.var().item():.3f}")
    save_state(net=net, optimizer=optimizer)
