"""Fit a sine with a tanh network: regression on a line, Adam, full batches."""

import argparse
import math

import torch
from _state import save_state


class TanhNet(torch.nn.Module):
    def __init__(self, width, spread):
        super().__init__()
        self.first = torch.nn.Linear(1, width)
        self.second = torch.nn.Linear(width, width)
        self.last = torch.nn.Linear(width, 1)
        if spread:
            torch.nn.init.normal_(self.first.weight, std=spread)
            torch.nn.init.normal_(self.second.weight, std=spread)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = torch.tanh(self.second(x))
        return self.last(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--spread", type=float, default=0.0, help="standard deviation of the hidden weights")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x = torch.rand(256, 1) * 2 - 1
    y = torch.sin(2 * math.pi * x)
    model = TanhNet(32, args.spread)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(args.steps):
        optimizer.zero_grad()
        loss = torch.mean((model(x) - y) ** 2)
        loss.backward()
        optimizer.step()
        if step % 250 == 0 or step == args.steps - 1:
            print(f"step {step}: loss {loss.item():.6f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
