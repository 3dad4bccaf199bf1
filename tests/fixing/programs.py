"""Functions that train, and some that cannot: for the tests of ``unstuck.fix``."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(8, 32)
        self.out = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.hidden(x)))


def train(model: nn.Module | None = None, steps: int = 120, rate: float = 0.002) -> None:
    """Train by steps that are far too small."""
    torch.manual_seed(0)
    x = torch.randn(640, 8)
    y = (x @ torch.randn(8, 3)).argmax(1)
    model = model or Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(steps):
        rows = torch.randint(640, (64,))
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("loss", loss.item())


def untouched() -> None:
    """Make an optimizer that never steps."""
    torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    print("nothing is trained")


def failing() -> None:
    print("about to fail")
    raise ValueError("no good")
