"""Gradient descent written out, for pictures of losses over steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unstuck.explain.figure import Floats


def descend(gradient: Callable[[Floats], Floats], start: list[float], lr: float, steps: int) -> Floats:
    """Follow the negative gradient.

    Args:
        gradient: The gradient at a point.
        start: Where to begin.
        lr: Learning rate.
        steps: Number of steps.

    Returns:
        The points, one row each, the start among them.
    """
    points = [np.asarray(start, dtype=np.float64)]
    for _ in range(steps):
        points.append(points[-1] - lr * gradient(points[-1]))
    return np.stack(points)
