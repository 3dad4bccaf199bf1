"""Forest or not, from a few bands of a satellite: binary targets, a loop over steps, which clears the gradients."""

import argparse

import torch
from _state import save_state
from torch import nn


def bands(count):
    x = torch.randn(count, 7)
    forest = (x[:, 0] * x[:, 1] + 0.7 * x[:, 2] - 0.4 * x[:, 3] ** 2 + 0.4 > 0).float()
    return x, forest.unsqueeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zero-every", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, forest = bands(2000)
    net = nn.Sequential(nn.Linear(7, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1), nn.Sigmoid())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.BCELoss()
    running = 0.0
    for step in range(1, 1001):
        rows = torch.randint(0, 2000, (50,))
        loss = criterion(net(x[rows]), forest[rows])
        loss.backward()
        optimizer.step()
        if step % args.zero_every == 0:
            optimizer.zero_grad()
        running += loss.item()
        if step % 100 == 0:
            right = ((net(x) > 0.5) == forest.bool()).float().mean().item()
            print(f"step {step} loss {running / 100:.4f} right {right:.3f}")
            running = 0.0
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
