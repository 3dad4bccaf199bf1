"""The planted task by units that are added one at a time: each learns what is missing, and is then frozen."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.lab.planted import EXAMPLES, INPUTS, Arm, draw, lacking
from unstuck.lab.plots import Floats

#: Passes over the examples that each unit gets, and its rate.
PASSES, RATE = 40, 1.0


def add_units(arm: Arm, units: int, seeds: int, seed: int) -> Floats:
    """Add units, all seeds at once.

    A unit climbs the size of its covariance with what is missing, over the spread of what is missing (Fahlman and
    Lebiere 1990, with one candidate and one output). It is then frozen, and the output weights are solved anew.

    Args:
        arm: The strengths of the parts.
        units: How many units are added.
        seeds: How many networks, each with the data of :func:`unstuck.lab.planted.draw`.
        seed: Of the first.

    Returns:
        The share of A and of B that the output lacks after each unit, none first, ``[seeds, units + 1, 2]``.
    """
    inputs, parts = draw(seeds, seed)
    wanted = (parts * torch.tensor(arm.strengths, dtype=torch.float64)).sum(2, keepdim=True)
    ones = torch.ones(seeds, EXAMPLES, 1, dtype=torch.float64)
    known, inputs = ones, torch.cat([inputs, ones], 2)
    random = torch.Generator().manual_seed(seed)
    missing = []
    for unit in range(units + 1):
        error = known @ torch.linalg.lstsq(known, wanted).solution - wanted
        missing.append(lacking(error, parts, arm.strengths))
        if unit < units:
            first = arm.spread * torch.randn(seeds, INPUTS + 1, 1, generator=random, dtype=torch.float64)
            known = torch.cat([known, torch.tanh(inputs @ climb(inputs, error, first))], 2)
    result: Floats = torch.stack(missing, 1).numpy()
    return result


def climb(inputs: Tensor, error: Tensor, weights: Tensor) -> Tensor:
    """Return the weights of a unit after it has climbed the size of its covariance with an error.

    Args:
        inputs: Inputs with a column of ones, ``[seeds, examples, inputs + 1]``.
        error: What the output is off by, ``[seeds, examples, 1]``.
        weights: Those at first, ``[seeds, inputs + 1, 1]``.
    """
    centred = error - error.mean(1, keepdim=True)
    centred = centred / centred.square().mean(1, keepdim=True).sqrt()
    for _ in range(PASSES):
        unit = torch.tanh(inputs @ weights)
        side = (unit * centred).mean(1, keepdim=True).sign()
        slope = inputs.transpose(1, 2) @ (side * centred * (1 - unit**2))
        weights = weights + RATE / EXAMPLES * slope
    return weights
