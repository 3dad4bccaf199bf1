"""A radial-basis-function network on a hilly surface: centres, widths and weights are all learnt, Adam."""

import argparse

import torch
from _state import save_state


class RadialBasis(torch.nn.Module):
    def __init__(self, count, dimension, spread, width):
        super().__init__()
        self.centres = torch.nn.Parameter(torch.randn(count, dimension) * spread)
        self.log_width = torch.nn.Parameter(torch.full((count,), width).log())
        self.weights = torch.nn.Parameter(torch.randn(count) * 0.1)

    def forward(self, x):
        distance = (x[:, None] - self.centres).square().sum(-1)
        return torch.exp(-0.5 * distance / self.log_width.exp() ** 2) @ self.weights


def hills(x):
    return torch.sin(2 * x[:, 0]) * torch.cos(2 * x[:, 1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", type=float, default=0.0, help="where the centres start")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x = torch.rand(2000, 2) * 4 - 2
    y = hills(x)
    model = RadialBasis(40, 2, 1.0, 0.6)
    model.centres.data += args.shift
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(1500):
        batch = torch.randint(2000, (100,))
        loss = (model(x[batch]) - y[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 150 == 149:
            with torch.no_grad():
                print(f"step {step + 1:4d} mean squared error {(model(x) - y).square().mean():.5f}")
    save_state(model=model, optimizer=optimizer)
