"""Times each way of writing the epoch, and the machine itself."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch

from unstuck.lab import slow_rows as ways

ROWS = 10_000
WEIGHTS = sum(a * b for a, b in itertools.pairwise(ways.SIZES))
PARAMETERS = WEIGHTS + sum(ways.SIZES[1:])
#: Forwards and backwards, a product and a sum a weight each: forward, gradient of the weights, gradient of the
#: activations (not of the inputs, which no one needs).
FLOP = 2 * (3 * WEIGHTS - ways.SIZES[0] * ways.SIZES[1])
EXAMPLES = 5


@dataclass(frozen=True)
class Way:
    """One way of writing an epoch, timed.

    Attributes:
        label: Its name.
        seconds: Time of an epoch of all rows.
        timed: Rows that were timed.
    """

    label: str
    seconds: float
    timed: int

    @property
    def speed(self) -> float:
        """Arithmetic that gets done, in GFLOP/s."""
        return FLOP * ROWS / self.seconds / 1e9


def gradient_error(seed: int) -> float:
    """Return the relative distance of the gradient by central differences from that of backpropagation.

    Args:
        seed: Seed of weights and examples.
    """
    layers = ways.draw(seed)
    x, y = ways.examples(EXAMPLES, seed)
    slopes = ways.gradient(layers, x, y)
    off = size = 0.0
    for layer, slope in zip(layers, slopes, strict=True):
        for values, exact in zip(layer, slope, strict=True):
            flat = values.reshape(-1)
            for place, true in enumerate(exact.reshape(-1)):
                kept, sides = flat[place], []
                for step in (1e-5, -1e-5):
                    flat[place] = kept + step
                    sides.append(_loss(layers, x, y))
                flat[place] = kept
                off += float((sides[0] - sides[1]) / 2e-5 - true) ** 2
                size += float(true) ** 2
    return float((off / size) ** 0.5)


def _loss(layers: ways.Layers, x: ways.Array, y: ways.Array) -> float:
    values = x
    for weights, biases in layers[:-1]:
        values = 1 / (1 + np.exp(-(values @ weights.T + biases)))
    return float(np.square(values @ layers[-1][0].T + layers[-1][1] - y).mean() / 2)


def by_loops(seed: int, times: int, rows: int) -> tuple[Way, float]:
    """Return the way by loops, and the seconds of one forward pass.

    Args:
        seed: Seed of weights and rows.
        times: How often it is timed.
        rows: How many rows are timed.
    """
    layers = ways.as_lists(ways.draw(seed))
    x, y = ways.examples(rows, seed)
    xs, ys = x.tolist(), y[:, 0].tolist()
    seconds = ways.shortest(lambda: ways.loops_epoch(layers, xs, ys), times)
    forward = ways.shortest(lambda: [ways.forward_by_loops(layers, row) for row in xs], times)
    return Way("pure Python, loops", seconds * ROWS / rows, rows), forward / rows


def by_numpy(seed: int, times: int) -> list[Way]:
    """Return the ways with NumPy, by batch size.

    Args:
        seed: Seed of weights and rows.
        times: How often it is timed.
    """
    layers = ways.draw(seed, np.float32)
    x, y = ways.examples(ROWS, seed, np.float32)
    found = []
    for batch, rows in ((1, 200), (10, 2000), (100, ROWS), (1000, ROWS), (ROWS, ROWS)):
        seconds = ways.shortest(lambda b=batch, n=rows: ways.numpy_epoch(layers, x[:n], y[:n], b), times)  # type: ignore[misc]
        found.append(Way(f"NumPy, batches of {batch:,}", seconds * ROWS / rows, rows))
    return found


def by_torch(seed: int, times: int) -> list[Way]:
    """Return the ways with torch, by batch size.

    Args:
        seed: Seed of weights and rows.
        times: How often it is timed.
    """
    model = ways.torch_model()
    x, y = (torch.from_numpy(values) for values in ways.examples(ROWS, seed, np.float32))
    found = []
    for batch, rows in ((1, 100), (100, ROWS), (ROWS, ROWS)):
        seconds = ways.shortest(lambda b=batch, n=rows: ways.torch_epoch(model, x[:n], y[:n], b), times)  # type: ignore[misc]
        found.append(Way(f"torch, batches of {batch:,}", seconds * ROWS / rows, rows))
    return found


def machine(times: int) -> tuple[float, float]:
    """Return the speed of a matrix product of the network's shape, GFLOP/s, and of copying memory, GB/s.

    Args:
        times: How often they are timed.
    """
    tall, square = np.ones((ROWS, 39), np.float32), np.ones((39, 39), np.float32)
    out = np.empty_like(tall)
    product = ways.shortest(lambda: np.matmul(tall, square, out=out), 3 * times)
    block = np.ones(8_000_000, np.float32)
    target = np.empty_like(block)
    copy = ways.shortest(lambda: np.copyto(target, block), times)
    return 2 * ROWS * 39 * 39 / product / 1e9, 2 * block.nbytes / copy / 1e9
