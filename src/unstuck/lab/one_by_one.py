"""The way of the book's program, one example after the other in NumPy: what faster ways are held against."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from unstuck.lab.depth import Networks, one_hot
from unstuck.lab.plots import Floats


def one_after_the_other(
    weights: list[Floats], biases: list[Floats], batch: Sequence[tuple[Floats, Floats]], rate: float, shrink: float
) -> tuple[list[Floats], list[Floats]]:
    """Return one network after a step on a batch whose examples are taken one after the other, in NumPy.

    Written afresh after the book.

    Args:
        weights: ``[out, in]`` of each layer.
        biases: ``[out, 1]`` of each layer.
        batch: Image ``[784, 1]`` and one-hot class ``[10, 1]`` of each example.
        rate: Learning rate.
        shrink: What is taken off each weight.

    Returns:
        New weights and biases.
    """
    grown_w, grown_b = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
    for x, y in batch:
        activations = [x]
        for w, b in zip(weights, biases, strict=True):
            activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))
        delta = activations[-1] - y
        for layer in range(len(weights) - 1, -1, -1):
            grown_w[layer] = grown_w[layer] + delta @ activations[layer].T
            grown_b[layer] = grown_b[layer] + delta
            if layer:
                a = activations[layer]
                delta = (weights[layer].T @ delta) * a * (1 - a)
    each = rate / len(batch)
    return (
        [(1 - shrink) * w - each * g for w, g in zip(weights, grown_w, strict=True)],
        [b - each * g for b, g in zip(biases, grown_b, strict=True)],
    )


def seconds_per_example(hidden: int, images: Tensor, labels: Tensor, batch: int) -> float:
    """Return the processor time that it takes for one example, its share of the step included.

    Args:
        hidden: Hidden layers.
        images: Examples to time it on, ``[n, 784]``.
        labels: Their classes.
        batch: Examples in a batch.
    """
    networks = Networks(hidden, [0])
    weights, biases = ([layer[0].numpy() for layer in layers] for layers in (networks.weights, networks.biases))
    columns = [
        (x[:, None].cpu().numpy(), y[:, None].cpu().numpy()) for x, y in zip(images, one_hot(labels).T, strict=True)
    ]
    began = time.process_time()
    for start in range(0, len(columns), batch):
        weights, biases = one_after_the_other(weights, biases, columns[start : start + batch], 0.1, 1e-5)
    return (time.process_time() - began) / len(columns)
