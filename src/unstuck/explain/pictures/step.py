"""Pictures of the length of the step."""

from __future__ import annotations

import numpy as np

from unstuck.explain.figure import Figure, over_steps
from unstuck.explain.pictures.descent import descend
from unstuck.report.pictures.plot import Span


def step_too_large() -> Figure:
    """Gradient descent on a parabola with steps around the stability limit 2 / lambda."""
    shares = ((0.25, "a quarter of the limit"), (0.95, "just below the limit"), (1.05, "just above the limit"))
    losses = [(label, descend(lambda x: x, [1.0], 2 * share, 40)[:, 0] ** 2 / 2) for share, label in shares]
    return over_steps(*losses, y=Span(1e-6, 100, "log"))


def step_too_small() -> Figure:
    """Gradient descent on a parabola far below the stability limit."""
    rates = ((0.05, "a twentieth of the limit"), (0.005, "10 times smaller"), (0.0005, "100 times smaller"))
    losses = [(label, descend(lambda x: x, [1.0], 2 * share, 200)[:, 0] ** 2) for share, label in rates]
    return over_steps(*losses, y=Span(0, 1.05), title="loss, as a share of the first")


def converged() -> Figure:
    """A loss that has come down to what cannot be learned."""
    steps = np.arange(301)
    floor = 0.2
    loss = floor + 0.5 * 0.9 ** (2 * steps) + 0.3 * 0.97 ** (2 * steps)
    return over_steps(("loss", loss), ("what cannot be learned", np.full(301, floor)), y=Span(0, 1.05))


def still_improving() -> Figure:
    """Gradient descent where many directions have ever smaller curvature: the loss falls as a power of the steps."""
    steps, number = np.arange(301), np.arange(1, 201)
    parts = number**-1.2 / np.sum(number**-1.2)
    loss = np.sum(parts[:, None] * (1 - 1 / number[:, None] ** 2) ** (2 * steps), axis=0)
    early, late = np.where(steps <= 200, loss, np.nan), np.where(steps >= 200, loss, np.nan)
    return over_steps(("the first two thirds", early), ("the last third", late), y=Span(0, 1.05))
