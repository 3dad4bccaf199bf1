"""A planted task of two parts, one strong and one weak, and networks that learn it: many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.plots import Floats

INPUTS, EXAMPLES, UNITS = 10, 1000, 8
#: A part is solved when less than this share of it is missing from the output.
SOLVED = 0.1
_EVERY = 5
_TINY = 1e-12


@dataclass(frozen=True)
class Arm:
    """A way to train.

    Attributes:
        label: What it is.
        strengths: Of the parts A and B.
        spread: Standard deviation of the first weights.
        frozen: How many units no longer learn once A is solved.
        rate: Learning rate.
    """

    label: str
    strengths: tuple[float, float] = (1.0, 0.3)
    spread: float = 0.01
    frozen: int = 0
    rate: float = 0.2


@dataclass(frozen=True)
class Course:
    """What came of an arm: the first axis of all is the seed.

    Attributes:
        missing: Share of A and of B that the output lacks after each step, from none on, ``[seeds, steps + 1, 2]``.
        times: Steps at which the units were looked at, ``[times]``.
        rank: Effective rank of the units' activations, ``[seeds, times]``.
        pulled: Units whose incoming gradient points at A's input more than at any other, ``[seeds, times]``.
        turned: Units whose largest incoming weight is that of A's input, ``[seeds, times]``.
    """

    missing: Floats
    times: Floats
    rank: Floats
    pulled: Floats
    turned: Floats

    def solved(self, part: int) -> Floats:
        """Return after how many steps each seed had a part solved for good; infinity where it had not at the end.

        Args:
            part: 0 for A, 1 for B.
        """
        above = self.missing[:, :, part] >= SOLVED
        steps = above.shape[1]
        after: Floats = np.where(above.any(1), steps - above[:, ::-1].argmax(1), 0).astype(float)
        solved: Floats = np.where(after < steps, after, np.inf)
        return solved


def draw(seeds: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return inputs and the two parts.

    Args:
        seeds: How many data sets.
        seed: Of the first.

    Returns:
        Inputs ``[seeds, examples, inputs]``, normal, and the parts ``[seeds, examples, 2]``: ``tanh 3 x`` of the first
        input, which is A, and of the second, which is B.
    """
    sets = [torch.randn(EXAMPLES, INPUTS, generator=_generator(seed + k), dtype=torch.float64) for k in range(seeds)]
    inputs = torch.stack(sets)
    return inputs, torch.tanh(3 * inputs[:, :, :2])


def train(arm: Arm, seeds: int, steps: int, seed: int) -> Course:
    """Train a hidden layer of tanh units by gradient descent on half the mean squared error, all seeds at once.

    Args:
        arm: How.
        seeds: How many networks, each with its own data.
        steps: Most steps, each on all examples; it ends when all seeds have solved both parts.
        seed: Of the first.
    """
    inputs, parts = draw(seeds, seed)
    wanted = (parts * torch.tensor(arm.strengths, dtype=torch.float64)).sum(2, keepdim=True)
    first, second = _weights(seeds, arm.spread, seed)
    cold, warm = torch.zeros(seeds, 1, 1, dtype=torch.bool), torch.arange(UNITS) >= arm.frozen
    missing, seen, done = [], [], torch.zeros(seeds, 2, dtype=torch.bool)
    for step in range(steps + 1):
        units = torch.tanh(torch.baddbmm(first[:, -1:], inputs, first[:, :-1]))
        error = torch.baddbmm(second[:, -1:], units, second[:, :-1]) - wanted
        missing.append(lacking(error, parts, arm.strengths))
        back = (error @ second[:, :-1].transpose(1, 2)) * (1 - units**2)
        gradient = torch.cat([inputs.transpose(1, 2) @ back, back.sum(1, keepdim=True)], 1) / EXAMPLES
        outer = torch.cat([units.transpose(1, 2) @ error, error.sum(1, keepdim=True)], 1) / EXAMPLES
        if step % _EVERY == 0:
            seen.append((effective_rank(units), _on_first(gradient), _on_first(first)))
            if bool(done.all()):
                break
        done = missing[-1] < SOLVED
        cold |= (missing[-1][:, :1, None] < SOLVED) & bool(arm.frozen)
        learns = (~cold | warm).double()  # [seeds, 1, units]
        first = first - arm.rate * gradient * learns
        second = second - arm.rate * outer * torch.cat([learns.transpose(1, 2), torch.ones(seeds, 1, 1).double()], 1)
    rank, pulled, turned = (torch.stack(column, 1).numpy() for column in zip(*seen, strict=True))
    times = torch.arange(0, len(missing), _EVERY).double().numpy()
    return Course(torch.stack(missing, 1).numpy(), times, rank, pulled, turned)


def effective_rank(units: Tensor) -> Tensor:
    """Return how many directions activations vary in: exp of the entropy of their squared singular values, centred.

    Args:
        units: Activations, ``[seeds, examples, units]``.

    Returns:
        From 1, where all units do the same, to their number, ``[seeds]`` (Roy and Vetterli 2007).
    """
    centred = units - units.mean(1, keepdim=True)
    power = torch.linalg.eigvalsh(centred.transpose(1, 2) @ centred).clamp_min(0)
    share = power / power.sum(1, keepdim=True).clamp_min(_TINY**2)
    return torch.exp(-(share * share.clamp_min(_TINY).log()).sum(1))


def lacking(error: Tensor, parts: Tensor, strengths: tuple[float, float]) -> Tensor:
    """Return the share of each part that the output lacks, by regression of the error on both parts.

    Args:
        error: Output less what is wanted, ``[seeds, examples, 1]``.
        parts: The parts at strength 1, ``[seeds, examples, 2]``.
        strengths: Their strengths; of a part of strength 0 nothing is missing.

    Returns:
        From 1 before training to 0, ``[seeds, 2]``.
    """
    products = parts.transpose(1, 2) @ torch.cat([parts, error], 2)
    left = torch.linalg.solve(products[:, :, :2], products[:, :, 2]).abs()
    known = torch.tensor(strengths, dtype=torch.float64)
    return torch.where(known > 0, left / known.clamp_min(_TINY), 0.0)


def _on_first(weights: Tensor) -> Tensor:
    """Return how many units have their largest entry at the first input, ``[seeds]``."""
    return (weights[:, :INPUTS].abs().argmax(1) == 0).sum(1).double()


def _weights(seeds: int, spread: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the weights of both layers; the last row of each is the bias, 0 at first."""
    layers = []
    for inputs, outputs, salt in ((INPUTS, UNITS, 1), (UNITS, 1, 2)):
        drawn = [
            torch.randn(inputs, outputs, generator=_generator(1000 * salt + seed + k), dtype=torch.float64)
            for k in range(seeds)
        ]
        layers.append(torch.cat([spread * torch.stack(drawn), torch.zeros(seeds, 1, outputs).double()], 1))
    return layers[0], layers[1]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
