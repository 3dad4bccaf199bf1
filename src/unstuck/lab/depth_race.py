"""Ten pairs of first weights and activation: what reaches the ends of a deep network, and the steps to a loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from unstuck.lab import depth_signal
from unstuck.lab.data import Images
from unstuck.lab.experiment import Setting
from unstuck.lab.networks import Function, Networks, batches, cross_entropy
from unstuck.lab.plots import Floats

#: The ways, each with its ``s_w^2`` where layers have as many inputs as units; LSUV's follows from the data.
GAINS = {"default": 1 / 3, "Glorot": 1.0, "He": 2.0, "orthogonal": 1.0, "LSUV": math.nan}
FUNCTIONS: dict[str, Function] = {"tanh": torch.tanh, "relu": torch.relu}
PAIRS = [(name, function) for function in FUNCTIONS for name in GAINS]
DEPTH = 30
RATES = (0.03, 0.1, 0.3)
LEVEL = 0.5
#: Hidden layers of the networks that learn.
SHAPE = (50,) * 10

_SCHEMES = {
    "default": depth_signal.torch_default,
    "Glorot": depth_signal.glorot,
    "He": depth_signal.he,
    "orthogonal": depth_signal.orthogonal,
}


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Attributes:
        width: Units of the thirty layers.
        examples: Inputs that are sent through them.
        draws: Networks of thirty layers for each pair.
        seeds: Networks that learn, for each pair and rate.
        steps: Steps of descent.
        every: Steps between two looks at the loss.
        batch: Examples of a step.
    """

    width: int
    examples: int
    draws: int
    seeds: int
    steps: int
    every: int = 10
    batch: int = 50


def measure(setting: Setting, size: Size) -> tuple[Floats, Floats]:
    """Return the mean squares of weighted sums and of their gradients, both ``[pairs, layers]``.

    The loss is a random sum of the outputs. Mean squares of a product vary by factors, so that the mean over the draws
    is a geometric one.

    Args:
        setting: How.
        size: How much.
    """
    sizes = [size.width] * (DEPTH + 1)
    squares, gradients = [], []
    for seed in range(setting.seed, setting.seed + size.draws):
        generator = torch.Generator().manual_seed(seed)
        networks = Networks(sizes, [FUNCTIONS[function] for _, function in PAIRS], device=setting.device)
        inputs, target = (torch.randn(2, size.examples, size.width, generator=generator)).to(setting.device)
        for number, pair in enumerate(PAIRS):
            for (weight, _), drawn in zip(networks.layers, draw(pair, sizes, inputs, generator), strict=True):
                weight[number] = drawn
        sums, slopes = networks.signals(inputs, partial(_weighted_sum, target))
        squares.append(_mean_squares(sums))
        gradients.append(_mean_squares(slopes))
    return np.exp(np.mean(np.log(squares), 0)), np.exp(np.mean(np.log(gradients), 0))


def race(setting: Setting, size: Size, images: Images) -> Floats:
    """Return the steps to the level, ``[pairs, seeds]``, each pair at its best rate; ``size.steps`` where not there.

    Args:
        setting: How.
        size: How much.
        images: What is learned.
    """
    runs = [(pair, rate, seed) for pair in PAIRS for rate in RATES for seed in range(size.seeds)]
    inputs, labels = images.inputs.to(setting.device), images.labels.to(setting.device)
    sizes = (inputs.shape[1], *SHAPE, 10)
    networks = Networks(sizes, [FUNCTIONS[function] for (_, function), _, _ in runs], device=setting.device)
    for number, (pair, _, seed) in enumerate(runs):  # the same draw for all rates of a pair
        drawn = draw(pair, sizes, inputs[:200], torch.Generator().manual_seed(setting.seed + seed))
        for (weight, _), values in zip(networks.layers, drawn, strict=True):
            weight[number] = values
    rates = torch.tensor([rate for _, rate, _ in runs], device=setting.device)[:, None]
    reached = torch.full((len(runs),), float(size.steps))
    generator, step = torch.Generator().manual_seed(setting.seed), 0
    while step < size.steps:
        for batch in batches(len(inputs), size.batch, generator)[: size.steps - step]:
            if step % size.every == 0:
                losses = cross_entropy(labels[:500])(networks.run(inputs[:500])[-1]).cpu()
                reached = torch.where((losses <= LEVEL) & (reached == size.steps), float(step), reached)
                if step % 100 == 0:
                    setting.say(
                        f"step {step} of {size.steps}: {int((reached < size.steps).sum())} of {len(runs)} there"
                    )
            _, gradient = networks.gradient(inputs[batch], cross_entropy(labels[batch]))
            networks.theta -= rates * gradient
            step += 1
    by_rate = reached.view(len(PAIRS), len(RATES), size.seeds)
    best = by_rate.median(2).values.argmin(1)
    return by_rate[torch.arange(len(PAIRS)), best].double().numpy()


def draw(pair: tuple[str, str], sizes: Sequence[int], inputs: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Return the first weights of a network, ``[inputs, units]`` each.

    Args:
        pair: The way, and the activation.
        sizes: Units of each layer, the inputs first.
        inputs: What LSUV measures its variances on, ``[examples, inputs]``.
        generator: Draws them.
    """
    name, function = pair
    if name == "LSUV":
        return depth_signal.lsuv(sizes, FUNCTIONS[function], inputs, generator)
    return [_SCHEMES[name](a, b, generator).to(inputs.device) for a, b in pairwise(sizes)]


def _weighted_sum(target: Tensor, outputs: Tensor) -> Tensor:
    return (outputs * target).sum((1, 2))


def _mean_squares(layers: list[Tensor]) -> Floats:
    return torch.stack([one.double().square().mean((1, 2)) for one in layers], 1).cpu().numpy()
