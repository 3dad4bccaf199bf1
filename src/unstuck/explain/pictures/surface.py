"""Pictures of the error surface."""

from __future__ import annotations

import numpy as np

from unstuck.explain.figure import Figure, curve, over_steps
from unstuck.explain.pictures.deep import SIGMOID
from unstuck.explain.pictures.descent import descend
from unstuck.report.pictures.plot import Span


def saddle() -> Figure:
    """Gradient descent away from the saddle of (x^2 - 1)^2 / 4, where the curvature is -1."""
    losses = []
    for lr in (0.2, 0.05, 0.02):
        x = descend(lambda x: x * (x * x - 1), [1e-3], lr, 300)[:, 0]
        losses.append((f"learning rate {lr:g}", (x * x - 1) ** 2 / 4))
    return over_steps(*losses, y=Span(0, 0.27))


def flat_region() -> Figure:
    """The squared error of one sigmoid unit whose target is 0."""
    z = np.linspace(-4, 12, 161)
    value, slope = SIGMOID[0](z), SIGMOID[1](z)
    curves = (curve("loss", z, value**2 / 2), curve("its slope", z, value * slope))
    return Figure(
        Span(-4, 12), Span(0, 0.55), ("what the unit adds up", "squared error of a unit with target 0"), curves
    )


def weight_decay_too_strong() -> Figure:
    """Two weights in a row that should multiply to 1, pulled towards 0 by decay."""
    losses = []
    for decay in (0.0, 0.3, 1.1):
        w = descend(lambda w, decay=decay: -w * (1 - w * w) + decay * w, [0.1], 0.1, 120)[:, 0]  # type: ignore[misc]
        losses.append((f"weight decay {decay:g}", (1 - w * w) ** 2 / 2))
    return over_steps(*losses, y=Span(0, 0.55))
