"""A small deep network with random weights: how strong the signal is in each layer, forwards and backwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.explain.figure import Floats

_WIDTH, _EXAMPLES = 32, 32
#: He's gain: with it, a rectifier passes the signal on as strong as it came.
HE = 2.0**0.5
#: The gain of torch's default for nn.Linear.
TORCH = 3.0**-0.5

Pair = tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]
SIGMOID: Pair = (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2)
TANH: Pair = (np.tanh, lambda z: 1 - np.tanh(z) ** 2)
RELU: Pair = (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(np.float64))


@dataclass(frozen=True, eq=False)
class Signals:
    """Root mean square activation, and the backward signal as a share of the last layer's, per layer."""

    forward: Floats
    backward: Floats


def signals(activation: Pair, gains: Sequence[float]) -> Signals:
    """Send examples through a random network and a random error back.

    Args:
        activation: The activation and its derivative.
        gains: One gain per layer: weights have standard deviation gain / sqrt(fan-in).

    Returns:
        The signals, the first layer's first.
    """
    # Python's generator, not numpy's: it promises the same numbers in every version.
    draw = random.Random(5)
    value, slope = activation
    a = _gaussians(draw, _EXAMPLES)
    weights, pre, forward = [], [], []
    for gain in gains:
        weights.append(gain * _WIDTH**-0.5 * _gaussians(draw, _WIDTH))
        pre.append(a @ weights[-1].T)
        a = value(pre[-1])
        forward.append(float(np.sqrt(np.mean(a**2))))
    delta = _gaussians(draw, _EXAMPLES) * slope(pre[-1])
    backward = [float(np.linalg.norm(delta))]
    for i in range(len(gains) - 1, 0, -1):
        delta = (delta @ weights[i]) * slope(pre[i - 1])
        backward.append(float(np.linalg.norm(delta)))
    return Signals(np.array(forward), np.array(backward[::-1]) / backward[0])


def _gaussians(draw: random.Random, rows: int) -> Floats:
    return np.array([[draw.gauss(0.0, 1.0) for _ in range(_WIDTH)] for _ in range(rows)])
