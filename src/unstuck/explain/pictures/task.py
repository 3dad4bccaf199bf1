"""Pictures of programs whose loss, outputs and targets do not go together."""

from __future__ import annotations

import numpy as np

from unstuck.explain.figure import Figure, curve, over_steps
from unstuck.explain.pictures.deep import SIGMOID
from unstuck.explain.pictures.descent import descend
from unstuck.report.pictures.plot import Span


def wrong_loss() -> Figure:
    """The gradient that two losses send back through a sigmoid whose target is 1."""
    z = np.linspace(-8, 8, 161)
    value, slope = SIGMOID[0](z), SIGMOID[1](z)
    curves = (curve("cross-entropy", z, 1 - value), curve("squared error", z, (1 - value) * slope))
    return Figure(Span(-8, 8), Span(0, 1.05), ("output before the sigmoid; the target is 1", "gradient"), curves)


def wrong_output_activation() -> Figure:
    """Targets of the size 2, and the nearest that bounded outputs come to them."""
    x = np.linspace(0, 2 * np.pi, 126)
    targets = 2 * np.sin(x)
    curves = (
        curve("targets", x, targets),
        curve("nearest with tanh", x, np.clip(targets, -1, 1)),
        curve("nearest with relu", x, np.maximum(targets, 0)),
    )
    return Figure(Span(0, 2 * np.pi), Span(-2.3, 2.3), ("input", "output"), curves)


def double_softmax() -> Figure:
    """The lowest cross-entropy that can be reached through two softmaxes, against that of a guess."""
    classes = np.array([2, 3, 5, 10, 20, 50, 100, 200, 500, 1000])
    curves = (
        curve("a guess: log C", classes, np.log(classes)),
        curve("lowest with softmax twice", classes, np.log(np.e + classes - 1) - 1),
        curve("lowest with softmax once", classes, np.zeros(10)),
    )
    return Figure(Span(2, 1000, "log"), Span(-0.3, 7.5), ("number of classes C", "loss"), curves)


def shape_broadcast() -> Figure:
    """Regression of y = x on five points, with the loss of each pair and with that of all against all."""
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    right = descend(lambda w: np.mean((w * x - x) * x, keepdims=True), [0.2], 0.05, 60)[:, 0]
    wrong = descend(lambda w: np.mean((w * x[:, None] - x[None, :]) * x[:, None]).reshape(1), [0.2], 0.05, 60)[:, 0]
    named = (("(N) against (N)", right), ("(N, 1) against (N)", wrong))
    losses = [(label, np.mean((w[:, None] * x - x) ** 2, axis=1)) for label, w in named]
    return over_steps(*losses, y=Span(0, 2.2), title="true squared error; a constant prediction has 2")


def targets_misaligned() -> Figure:
    """The best mean squared error where a share of the targets belongs to other inputs."""
    share = np.linspace(0, 1, 101)
    curves = (
        curve("best fit", share, 1 - (1 - share) ** 2),
        curve("best constant prediction", share, np.ones(101)),
    )
    titles = "share of the examples that have another's target", "lowest loss, as a share of the constant's"
    return Figure(Span(0, 1), Span(0, 1.1), titles, curves)


def unshuffled_batches() -> Figure:
    """A constant fitted to two classes, 0 and 1, that come in blocks of 25 batches or mixed."""
    blocks = [(step // 25) % 2 for step in range(125)]
    sorted_, mixed = [0.2], [0.2]
    for target in blocks:
        sorted_.append(sorted_[-1] - 0.15 * (sorted_[-1] - target))
        mixed.append(mixed[-1] - 0.15 * (mixed[-1] - 0.5))
    named = (("shuffled", mixed), ("sorted by class", sorted_))
    losses = [(label, np.square(np.array(value) - 0.5) / 2 + 0.125) for label, value in named]
    return over_steps(*losses, y=Span(0.11, 0.27), title="loss over all data")
