"""Encoder networks n-m-n of many seeds, trained at once by any rule of learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.lab.plots import Floats
from unstuck.optim import Quickprop, atanh_error, offset_sigmoid

Make: TypeAlias = Callable[[Tensor, Tensor], Optimizer]

#: An output is right within this distance of its target: Fahlman's score threshold.
RIGHT = 0.4


@dataclass(frozen=True)
class Size:
    """Layers of an encoder: ``units`` inputs and outputs about ``hidden`` units."""

    units: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.units}-{self.hidden}-{self.units}"


@dataclass(frozen=True)
class Rule:
    """A rule of learning.

    Attributes:
        make: Makes the optimizer of both layers' weights, ``[networks, inputs + 1, outputs]``.
        rates: Each is tried on every seed, at once, as a factor of the error: the first step of gradient descent and of
            Quickprop is proportional to the error, so that a factor of the error is one of the learning rate.
        offset: What is added to the derivative of the sigmoid.
        stretched: Whether the error is ``atanh_error`` and not half the squared one.
    """

    make: Make
    rates: tuple[float, ...] = (1.0,)
    offset: float = 0.0
    stretched: bool = False


@dataclass(frozen=True)
class Learned:
    """How long one rule took.

    Attributes:
        label: The rule.
        rates: Its learning rates.
        epochs: Of each network, ``[rates, seeds]``; infinity where it did not learn within the limit.
    """

    label: str
    rates: tuple[float, ...]
    epochs: Floats

    def means(self, limit: int) -> Floats:
        """Return the mean epochs of each rate, ``[rates]``.

        Args:
            limit: What a run that did not arrive counts as, which flatters it.
        """
        mean: Floats = np.minimum(self.epochs, limit).mean(1)
        return mean

    def best(self, limit: int) -> int:
        """Return the place of the best rate.

        Args:
            limit: As in :meth:`means`.
        """
        return int(self.means(limit).argmin())


def descent(rates: Sequence[float], offset: float = 0.0) -> Rule:
    """Return plain back-propagation.

    Args:
        rates: Learning rates, for the error summed over the examples.
        offset: What is added to the derivative of the sigmoid.
    """
    return Rule(lambda first, second: torch.optim.SGD([first, second], lr=1.0), tuple(rates), offset)


def quickprop(epsilons: Sequence[float], offset: float = 0.1) -> Rule:
    """Return Fahlman's own combination: Quickprop, mu 1.75, epsilon split by fan-in, the atanh error, the offset.

    Args:
        epsilons: Values of epsilon before it is divided.
        offset: What is added to the derivative of the sigmoid.
    """

    def make(first: Tensor, second: Tensor) -> Optimizer:
        return Quickprop([{"params": [w], "lr": 1 / w.shape[1]} for w in (first, second)], mu=1.75)

    return Rule(make, tuple(epsilons), offset, stretched=True)


def adam(rate: float) -> Rule:
    """Return Adam.

    Args:
        rate: Learning rate.
    """
    return Rule(lambda first, second: torch.optim.Adam([first, second], lr=rate))


def rprop(rate: float) -> Rule:
    """Return Rprop.

    Args:
        rate: First step of every weight.
    """
    return Rule(lambda first, second: torch.optim.Rprop([first, second], lr=rate))


def initial(size: Size, seeds: int, radius: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return weights drawn evenly from -radius to radius; the last row of each is the bias.

    Args:
        size: Layers.
        seeds: How many networks.
        radius: Largest weight.
        seed: Of the generator.

    Returns:
        Two tensors ``[seeds, units + 1, hidden]`` and ``[seeds, hidden + 1, units]``.
    """
    random = torch.Generator().manual_seed(seed)
    shapes = ((seeds, size.units + 1, size.hidden), (seeds, size.hidden + 1, size.units))
    first, second = (torch.rand(shape, generator=random).mul(2).sub(1).mul(radius) for shape in shapes)
    return first, second


def epochs(size: Size, weights: tuple[Tensor, Tensor], rule: Rule, limit: int) -> Tensor:
    """Train all networks at once; a weight's step depends on no other network.

    Args:
        size: Layers.
        weights: Those at the start; left as they are.
        rule: Rule of learning.
        limit: Most epochs.

    Returns:
        After how many steps every output of a network was right for every example, ``[rates, seeds]``; infinity where
        that did not come about within the limit.
    """
    seeds, tried = weights[0].shape[0], len(rule.rates)
    first, second = (w.repeat(tried, 1, 1).requires_grad_() for w in weights)
    rates = torch.tensor(rule.rates).repeat_interleave(seeds)[:, None, None]
    optimizer = rule.make(first, second)
    targets = torch.eye(size.units).expand(tried * seeds, size.units, size.units)
    done = torch.full((tried * seeds,), torch.inf)
    for epoch in range(limit + 1):
        outputs = _forward(targets, first, second, rule.offset)
        right = ((outputs - targets).abs() < RIGHT).flatten(1).all(1)
        done[right & done.isinf()] = epoch
        if bool(done.isfinite().all()):
            break
        optimizer.zero_grad()
        errors = _stretched(outputs, targets) if rule.stretched else (outputs - targets).square() / 2
        (errors * rates).sum().backward()
        optimizer.step()
    return done.reshape(tried, seeds)


def _stretched(outputs: Tensor, targets: Tensor) -> Tensor:
    return atanh_error(outputs, targets, reduction="none")


def _forward(inputs: Tensor, first: Tensor, second: Tensor, offset: float) -> Tensor:
    """Return the outputs, ``[networks, examples, units]``."""
    hidden = offset_sigmoid(torch.baddbmm(first[:, -1:], inputs, first[:, :-1]), offset)
    return offset_sigmoid(torch.baddbmm(second[:, -1:], hidden, second[:, :-1]), offset)
