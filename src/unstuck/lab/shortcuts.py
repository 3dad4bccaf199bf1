"""The network that the two spirals were first learned with, trained from many starts at once.

Lang and Witbrock (1988) connect every layer of 2-5-5-5-1 with all layers before it: 138 weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_LAYERS = (5, 5, 5, 1)
#: Makes an optimizer of one parameter.
Maker = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


@dataclass(frozen=True)
class Rival:
    """A way to train it.

    Attributes:
        name: As it is told.
        make: Makes its optimizer.
    """

    name: str
    make: Maker


RIVALS = (
    Rival("back-propagation, rate 0.005, momentum 0.9", lambda p: torch.optim.SGD(p, 0.005, momentum=0.9)),
    Rival("Rprop", lambda p: torch.optim.Rprop(p, 0.1)),
    Rival("Adam, rate 0.01", lambda p: torch.optim.Adam(p, 0.01)),
)


def count(inputs: int) -> int:
    """Return the number of weights, biases with them."""
    return sum(size * seen for size, seen in _shape(inputs))


def outputs(weights: Tensor, inputs: Tensor) -> Tensor:
    """Return the outputs, from -1/2 to 1/2, of networks side by side.

    Args:
        weights: ``[networks, count]``.
        inputs: ``[n, inputs]``.

    Returns:
        ``[networks, n]``.
    """
    values = torch.cat((torch.ones_like(inputs[:, :1]), inputs), 1).T.expand(len(weights), -1, -1)
    start = 0
    for size, seen in _shape(inputs.shape[1]):
        layer = weights[:, start : start + size * seen].view(-1, size, seen)
        values = torch.cat((values, torch.sigmoid(layer @ values) - 0.5), 1)
        start += size * seen
    return values[:, -1]


def train(
    rival: Rival, inputs: Tensor, targets: Tensor, seeds: list[int], limit: int, threshold: float = 0.4
) -> list[int | None]:
    """Return after how many epochs each network was right on all cases; None where it was not.

    The error is half the sum of squares; weights are drawn evenly between plus and minus one over the root of the
    number of values that a unit sees. Networks do not touch each other: their gradients and steps are apart.

    Args:
        rival: How.
        inputs: ``[n, inputs]``.
        targets: ``[n]``, -1/2 and 1/2.
        seeds: One for each network.
        limit: Epochs at most.
        threshold: An output is right where it is closer than this to its target.
    """
    first = np.stack([_draw(np.random.default_rng(seed), inputs.shape[1]) for seed in seeds])
    weights = torch.from_numpy(first).to(inputs).requires_grad_()
    optimizer = rival.make([weights])
    solved: list[int | None] = [None] * len(seeds)
    for epoch in range(limit):
        optimizer.zero_grad()
        difference = outputs(weights, inputs) - targets
        for place in torch.nonzero(difference.detach().abs().amax(1) < threshold).flatten().tolist():
            solved[place] = epoch if solved[place] is None else solved[place]
        if all(one is not None for one in solved):
            break
        (difference**2).sum().div(2).backward()
        optimizer.step()
    return solved


def _shape(inputs: int) -> list[tuple[int, int]]:
    seen, shape = 1 + inputs, []
    for size in _LAYERS:
        shape.append((size, seen))
        seen += size
    return shape


def _draw(generator: np.random.Generator, inputs: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    parts = [generator.uniform(-1, 1, size * seen) / np.sqrt(seen) for size, seen in _shape(inputs)]
    return np.concatenate(parts)
