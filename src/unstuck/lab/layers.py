"""Networks of equal layers on parity: many at once, with a hand on each factor of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from unstuck.lab.circuits import cases
from unstuck.lab.plots import Floats

BITS, WIDTH = 4, 8


@dataclass(frozen=True)
class Trained:
    """What came of training.

    Attributes:
        epochs: Epochs until every input was right, ``[rates, seeds]``; infinity where that did not come about.
        slope: Product of the mean slopes of the units of all hidden layers at the start, the median over the seeds.
    """

    epochs: Floats
    slope: float


def task() -> tuple[Tensor, Tensor]:
    """Return all inputs of -1 and 1, ``[16, bits]``, and their parities, -1 or 1, ``[16, 1]``."""
    bits, parity = (torch.from_numpy(values) for values in cases(BITS))
    return 2 * bits - 1, (2 * parity - 1)[:, None]


def draw(depth: int, seeds: int, seed: int) -> list[Tensor]:
    """Return normal weights of variance 1 over the inputs, biases 0.

    Args:
        depth: Hidden layers.
        seeds: Networks.
        seed: Of the generator.

    Returns:
        Of each layer ``[seeds, inputs + 1, outputs]``; the last row is the bias.
    """
    random = torch.Generator().manual_seed(seed)
    sizes = [BITS, *[WIDTH] * depth, 1]
    weights = []
    for inputs, outputs in pairwise(sizes):
        weight = torch.randn(seeds, inputs, outputs, generator=random, dtype=torch.float64) / inputs**0.5
        weights.append(torch.cat([weight, torch.zeros(seeds, 1, outputs, dtype=torch.float64)], 1))
    return weights


def forward(weights: list[Tensor], inputs: Tensor) -> list[Tensor]:
    """Return the activations of all layers, inputs first; hidden units are tanh, the output is linear.

    Args:
        weights: As of :func:`draw`.
        inputs: ``[examples, bits]``.

    Returns:
        Of each layer ``[seeds, examples, units]``.
    """
    values = [inputs.expand(weights[0].shape[0], -1, -1)]
    for place, weight in enumerate(weights):
        sums = torch.baddbmm(weight[:, -1:], values[-1], weight[:, :-1])
        values.append(sums if place == len(weights) - 1 else torch.tanh(sums))
    return values


def gradients(weights: list[Tensor], inputs: Tensor, wanted: Tensor, undiluted: bool, lowest: int = 0) -> list[Tensor]:
    """Return the gradients of half the mean squared error, from the layer ``lowest`` on.

    Args:
        weights: As of :func:`draw`.
        inputs: ``[examples, bits]``.
        wanted: ``[examples, 1]``.
        undiluted: Whether the slopes of each hidden layer are divided by their mean on the way back, so that their
            product no longer shrinks with depth. What comes out then is no gradient of any error.
        lowest: First layer of interest.

    Returns:
        Of each layer from ``lowest`` on, as its weights.
    """
    values = forward(weights, inputs)
    back = (values[-1] - wanted) / len(inputs)
    found = []
    for place in range(len(weights) - 1, lowest - 1, -1):
        found.append(torch.cat([values[place].transpose(1, 2) @ back, back.sum(1, keepdim=True)], 1))
        if place > lowest:
            slopes = 1 - values[place] ** 2
            if undiluted:
                slopes = slopes / slopes.mean((1, 2), keepdim=True)
            back = (back @ weights[place][:, :-1].transpose(1, 2)) * slopes
    return found[::-1]


def train(
    start: list[Tensor], rates: tuple[float, ...], limit: int, *, undiluted: bool = False, in_turn: bool = False
) -> Trained:
    """Train by gradient descent, every rate with every seed, all at once.

    Args:
        start: Weights at the start, as of :func:`draw`; left as they are.
        rates: Learning rates.
        limit: Most epochs.
        undiluted: As in :func:`gradients`.
        in_turn: Whether the layers step one after the other, the first first, each by the gradient that the others'
            steps have left it, instead of all by the gradient of the same weights. Both step every layer once an epoch.
    """
    inputs, wanted = task()
    seeds = start[0].shape[0]
    weights = [weight.repeat(len(rates), 1, 1) for weight in start]
    rate = torch.tensor(rates, dtype=torch.float64).repeat_interleave(seeds)[:, None, None]
    hidden = forward(start, inputs)[1:-1]
    slope = torch.stack([(1 - value**2).mean((1, 2)) for value in hidden]).prod(0).median()
    done = torch.full((len(rates) * seeds,), torch.inf)
    for epoch in range(limit + 1):
        right = (forward(weights, inputs)[-1] * wanted > 0).all(1)[:, 0]
        done[right & done.isinf()] = epoch
        if bool(done.isfinite().all()):
            break
        if in_turn:
            for place in range(len(weights)):
                own = gradients(weights, inputs, wanted, undiluted, place)[0]
                weights[place] = weights[place] - rate * own
        else:
            steps = gradients(weights, inputs, wanted, undiluted)
            weights = [weight - rate * step for weight, step in zip(weights, steps, strict=True)]
    return Trained(done.reshape(len(rates), seeds).double().numpy(), float(slope))
