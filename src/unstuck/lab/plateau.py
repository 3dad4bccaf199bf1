"""Where Nielsen's networks of 500 epochs go: their course on 1000 images, and the curvature of where it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.data import load_mnist
from unstuck.lab.depth import Networks, accuracy, cost, one_hot, speeds
from unstuck.lab.plots import Floats
from unstuck.measure.lanczos import Lanczos

#: The first images of the training set, all in one batch.
IMAGES = 1000
#: A network has left the plateau when its cost is this much below that of the best constant.
LEFT = 0.04
_PRODUCTS = 40


@dataclass(frozen=True)
class Course:
    """What some networks of one depth did.

    Attributes:
        speeds: Of the hidden layers before each step, ``[epochs, hidden, k]``.
        costs: Mean cost without decay before each step, ``[epochs, k]``.
        spread: Standard deviation across images of the last hidden layer's activations at the end, ``[k]``.
        accuracy: Share of the training images that are right at the end, ``[k]``.
        networks: The networks at the end.
    """

    speeds: Floats
    costs: Floats
    spread: Floats
    accuracy: Floats
    networks: Networks


def train(hidden: int, seeds: list[int], epochs: int, rate: float, decay: float, device: str = "cpu") -> Course:
    """Train networks of one depth on the first 1000 images, full batch.

    Args:
        hidden: Hidden layers.
        seeds: One for each network.
        epochs: Steps.
        rate: Learning rate, eta.
        decay: Weight decay, lambda; each step takes ``eta lambda / 1000`` off a weight.
        device: Where.
    """
    images, labels = (part[:IMAGES].to(device) for part in load_mnist("train"))
    x, y = images.T.contiguous(), one_hot(labels)
    networks = Networks(hidden, seeds, device)
    fast, costs = [], []
    for _ in range(epochs):
        activations = networks.activations(x)
        deltas = networks.deltas(activations, y)
        fast.append(speeds(deltas))
        costs.append(cost(activations[-1], y))
        networks.step(activations, deltas, rate, rate * decay / IMAGES)
    activations = networks.activations(x)
    spread = activations[-2].double().std(-1).mean(-1).cpu().numpy()
    return Course(np.array(fast), np.array(costs), spread, accuracy(activations[-1], labels), networks)


def prior() -> tuple[float, float]:
    """Return the cost of the best constant answer on the 1000 images, and the share of their commonest class."""
    counts = torch.bincount(load_mnist("train")[1][:IMAGES], minlength=10).double() / IMAGES
    entropy = -(counts * counts.log() + (1 - counts) * (1 - counts).log()).sum()
    return float(entropy), float(counts.max())


def escape(costs: Floats, constant: float) -> int | None:
    """Return the epoch at which a network left the plateau, None where it did not.

    Args:
        costs: Its cost by epoch.
        constant: That of the best constant answer.
    """
    below = np.flatnonzero(costs < constant - LEFT)
    return int(below[0]) if len(below) else None


def curvature(networks: Networks, number: int) -> tuple[float, float]:
    """Return the smallest and the largest curvature of the cost where a network is, decay left out.

    Forty Lanczos steps with exact products of the Hessian, in float64. The smallest is an upper bound: where it is
    negative, a direction bends down.

    Args:
        networks: The networks.
        number: Which.
    """
    images, labels = (part[:IMAGES] for part in load_mnist("train"))
    x, y = images.T.double(), one_hot(labels).double()
    values = [layer[number].double().cpu() for layer in (*networks.weights, *networks.biases)]
    flat = torch.cat([value.flatten() for value in values]).requires_grad_()
    parts = [
        part.view(value.shape) for part, value in zip(flat.split([v.numel() for v in values]), values, strict=True)
    ]
    z, half = x, len(parts) // 2
    for place, (weight, bias) in enumerate(zip(parts[:half], parts[half:], strict=True)):
        z = weight @ (z.sigmoid() if place else z) + bias
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / IMAGES
    (gradient,) = torch.autograd.grad(loss, flat, create_graph=True)

    def product(vector: Tensor) -> Tensor:
        return torch.autograd.grad(gradient, flat, vector, retain_graph=True)[0]

    generator = torch.Generator().manual_seed(0)
    lanczos = Lanczos(product, torch.randn(len(flat), generator=generator, dtype=torch.float64), generator)
    for _ in range(_PRODUCTS):
        lanczos.extend()
    low, high = lanczos.ends()
    return low.value, high.value
