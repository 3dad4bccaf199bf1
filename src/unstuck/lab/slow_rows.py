"""One epoch of gradient descent on a network [39, 39, 39, 1], written in several ways, from loops to whole batches."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.floating]
#: Weights and biases, one pair a layer, each ``[out, in]`` and ``[out]``.
Layers = list[tuple[Array, Array]]
Lists = list[tuple[list[list[float]], list[float]]]

SIZES = (39, 39, 39, 1)
_RATE = 0.01


def draw(seed: int, dtype: type[np.floating] = np.float64) -> Layers:
    """Return weights of variance ``1 / in``, and biases 0.

    Args:
        seed: Seed.
        dtype: Type of the numbers.
    """
    random = np.random.default_rng(seed)
    return [
        ((random.standard_normal((high, wide)) / math.sqrt(wide)).astype(dtype), np.zeros(high, dtype))
        for wide, high in itertools.pairwise(SIZES)
    ]


def examples(count: int, seed: int, dtype: type[np.floating] = np.float64) -> tuple[Array, Array]:
    """Return inputs ``[count, 39]`` and targets ``[count, 1]``.

    Args:
        count: How many.
        seed: Seed.
        dtype: Type of the numbers.
    """
    random = np.random.default_rng(seed + 1)
    x = random.standard_normal((count, SIZES[0])).astype(dtype)
    return x, np.sin(x[:, :1])


def gradient(layers: Layers, x: Array, y: Array) -> Layers:
    """Return the gradient of half the mean squared error, by backpropagation over whole arrays.

    Args:
        layers: The network; sigmoids, the output linear.
        x: Inputs, ``[n, 39]``.
        y: Targets, ``[n, 1]``.
    """
    values = [x]
    for weights, biases in layers[:-1]:
        values.append(1 / (1 + np.exp(-(values[-1] @ weights.T + biases))))
    delta = (values[-1] @ layers[-1][0].T + layers[-1][1] - y) / len(x)
    found: Layers = []
    for number in reversed(range(len(layers))):
        found.append((delta.T @ values[number], delta.sum(0)))
        if number:
            delta = (delta @ layers[number][0]) * values[number] * (1 - values[number])
    return found[::-1]


def numpy_epoch(layers: Layers, x: Array, y: Array, batch: int) -> None:
    """Train ``layers`` in place for one epoch.

    Args:
        layers: The network.
        x: Inputs.
        y: Targets.
        batch: Examples of a step.
    """
    for at in range(0, len(x), batch):
        slopes = gradient(layers, x[at : at + batch], y[at : at + batch])
        for layer, slope in zip(layers, slopes, strict=True):
            for values, steepness in zip(layer, slope, strict=True):
                np.subtract(values, _RATE * steepness, out=values)


def forward_by_loops(layers: Lists, x: Sequence[float]) -> list[list[float]]:
    """Return all activations of one example, with a loop for every sum.

    Args:
        layers: The network, as lists.
        x: The example.
    """
    values = [list(x)]
    for number, (weights, biases) in enumerate(layers):
        out = []
        for row, bias in zip(weights, biases, strict=True):
            total = bias
            for weight, value in zip(row, values[-1], strict=True):
                total += weight * value
            out.append(total if number == len(layers) - 1 else 1 / (1 + math.exp(-total)))
        values.append(out)
    return values


def loops_epoch(layers: Lists, xs: Sequence[Sequence[float]], ys: Sequence[float]) -> None:
    """Train ``layers`` in place for one epoch, one example at a time, with a loop for every sum.

    Args:
        layers: The network, as lists.
        xs: Inputs.
        ys: Targets.
    """
    for x, y in zip(xs, ys, strict=True):
        values = forward_by_loops(layers, x)
        delta = [values[-1][0] - y]
        for number in reversed(range(len(layers))):
            weights, biases = layers[number]
            before = values[number]
            back = [0.0] * len(before)
            for unit, error in enumerate(delta):
                row, step = weights[unit], _RATE * error
                for place, value in enumerate(before):
                    back[place] += error * row[place]
                    row[place] -= step * value
                biases[unit] -= step
            delta = [error * value * (1 - value) for error, value in zip(back, before, strict=True)]


def as_lists(layers: Layers) -> Lists:
    """Return a network as lists of Python's numbers."""
    return [(weights.tolist(), biases.tolist()) for weights, biases in layers]


def torch_epoch(model: torch.nn.Module, x: Tensor, y: Tensor, batch: int) -> None:
    """Train a torch model for one epoch, as usually written.

    Args:
        model: The model.
        x: Inputs.
        y: Targets.
        batch: Examples of a step.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=_RATE)
    for at in range(0, len(x), batch):
        optimizer.zero_grad()
        loss = (model(x[at : at + batch]) - y[at : at + batch]).square().mean() / 2
        loss.backward()
        optimizer.step()


def torch_model() -> torch.nn.Module:
    """Return the network as torch's modules; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        return torch.nn.Sequential(
            torch.nn.Linear(39, 39),
            torch.nn.Sigmoid(),
            torch.nn.Linear(39, 39),
            torch.nn.Sigmoid(),
            torch.nn.Linear(39, 1),
        )


def shortest(work: Callable[[], object], times: int) -> float:
    """Return the shortest of several times that ``work`` takes, in seconds: what others on the machine add is left out.

    Args:
        work: What is timed.
        times: How often.
    """
    best = math.inf
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
