"""Steps to a level of the loss by batch size, over learning rates and seeds at once, and the noise of the gradient."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unstuck.lab.flat_network import FlatNetwork
from unstuck.lab.plots import Floats


@dataclass(frozen=True)
class Task:
    """What is learned.

    Attributes:
        network: The network.
        inputs: Examples, ``[n, inputs]``.
        labels: Their classes, ``[n]``.
        level: Loss over all examples that is to be reached.
    """

    network: FlatNetwork
    inputs: Tensor
    labels: Tensor
    level: float

    def losses(self, places: Tensor) -> Tensor:
        """Return the loss over all examples of each of ``places``, ``[copies]``."""
        return _losses(self.network.outputs(places, self.inputs), self.labels.expand(len(places), -1))


@dataclass(frozen=True)
class Reached:
    """How one batch size came to the level.

    Attributes:
        batch: Examples of a batch.
        rate: Best learning rate: the first with which all seeds were there.
        steps: Steps of each seed with it.
        seconds: Time of one step of one network, the shortest of several.
    """

    batch: int
    rate: float
    steps: Floats
    seconds: float


def reach(task: Task, batch: int, rates: Sequence[float], starts: Tensor, most: int, seed: int) -> Reached | None:
    """Train with each rate from each start until all starts of one rate are at the level.

    Args:
        task: What is learned.
        batch: Examples of a batch, drawn anew at each step; all of them where it is the whole set.
        rates: Learning rates.
        starts: First parameters, ``[seeds, size]``.
        most: Steps after which it is given up.
        seed: Seed of the batches.

    Returns:
        What came of it; None where no rate reached the level.
    """
    generator = torch.Generator().manual_seed(seed)
    places = starts.repeat(len(rates), 1)
    rate = torch.tensor(rates).repeat_interleave(len(starts))[:, None]
    arrived = np.full(len(places), np.inf)
    every = max(1, 64 // batch)
    for step in range(1, most + 1):
        places = _step(task, places, rate, batch, generator)
        if step % every == 0:
            there = (task.losses(places) <= task.level).numpy()
            arrived[there & np.isinf(arrived)] = step
            slowest = arrived.reshape(len(rates), -1).max(1)
            if np.isfinite(slowest.min()):
                best = int(slowest.argmin())
                steps = arrived.reshape(len(rates), -1)[best]
                return Reached(batch, rates[best], steps, _time(task, starts[:1], batch, generator))
    return None


def noise_scale(task: Task, place: Tensor) -> float:
    """Return the simple noise scale ``tr(S) / |G|^2`` at ``place``, exactly, from the gradient of every example.

    ``S`` is the covariance of the gradients of single examples, ``G`` their mean (McCandlish et al. 2018, section 2.2).

    Args:
        task: What is learned.
        place: Parameters, ``[size]``.
    """

    def single(at: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(task.network.outputs(at, x[None]), y[None])

    gradients = torch.func.vmap(torch.func.grad(single), (None, 0, 0))(place, task.inputs, task.labels)
    return float(gradients.var(0).sum() / gradients.mean(0).square().sum())


def noise_on_the_way(task: Task, start: Tensor, rate: float, steps: int, count: int) -> tuple[Floats, Floats, Floats]:
    """Return steps, losses and noise scales along a full-batch training.

    Args:
        task: What is learned.
        start: First parameters, ``[size]``.
        rate: Learning rate.
        steps: How many steps.
        count: At how many places it is measured.
    """
    at = np.unique(np.linspace(0, steps, count).round().astype(int))
    place, rows = start[None], []
    for step in range(steps + 1):
        if step in at:
            rows.append((step, float(task.losses(place)[0]), noise_scale(task, place[0])))
        place = _step(task, place, torch.tensor([[rate]]), len(task.inputs), torch.Generator())
    steps_, losses, scales = np.array(rows, dtype=np.float64).T
    return steps_, losses, scales


def fit(batches: Floats, steps: Floats) -> tuple[float, float]:
    """Return the fewest steps and the fewest examples of ``steps = fewest + examples / batch``.

    That is ``(S / Smin - 1) (E / Emin - 1) = 1`` with ``E = S batch``. Fitted to the logarithms, so that each point
    counts the same, over a grid of critical batch sizes, for each of which the scale has a closed form.

    Args:
        batches: Batch sizes, ``[n]``.
        steps: Steps to the level, ``[n]``.
    """
    critical = np.geomspace(batches.min() / 10, batches.max() * 10, 2001)
    shape = np.log1p(critical[:, None] / batches)
    scale = (np.log(steps) - shape).mean(1)
    best = int(((np.log(steps) - shape - scale[:, None]) ** 2).sum(1).argmin())
    fewest = float(np.exp(scale[best]))
    return fewest, fewest * float(critical[best])


def _step(task: Task, places: Tensor, rate: Tensor, batch: int, generator: torch.Generator) -> Tensor:
    places = places.detach().requires_grad_()
    if batch >= len(task.inputs):
        inputs, labels = task.inputs, task.labels.expand(len(places), -1)
    else:
        chosen = torch.randint(len(task.inputs), (len(places), batch), generator=generator)
        inputs, labels = task.inputs[chosen], task.labels[chosen]
    loss = _losses(task.network.outputs(places, inputs), labels).sum()
    (gradient,) = torch.autograd.grad(loss, places)
    return places.detach() - rate * gradient


def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return each copy's mean cross-entropy; of outputs ``[copies, n, classes]``."""
    return cross_entropy(outputs.transpose(1, 2), labels, reduction="none").mean(1)


def _time(task: Task, start: Tensor, batch: int, generator: torch.Generator) -> float:
    best, rate = np.inf, torch.tensor([[0.01]])
    for _ in range(20):
        began = time.perf_counter()
        _step(task, start, rate, batch, generator)
        best = min(best, time.perf_counter() - began)
    return float(best)
