"""The pictures of the narrow valley."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unstuck.lab.descents import METHODS
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.report.pictures.picture import Picture, Table

#: Steps of each path that are drawn.
_SHOWN = 40


def counted(steps: dict[str, list[int]], conditions: Sequence[float], tolerance: float) -> Picture:
    """Draw the steps of each method against the condition number.

    Args:
        steps: Steps by method, one for each condition number.
        conditions: The condition numbers.
        tolerance: Part of the distance that is left then.
    """
    dense = np.geomspace(conditions[0], conditions[-1], 60)
    series = []
    for colour, method in enumerate(METHODS):
        counts = steps[method.label]
        series.append(Series(method.label, dense, [method.steps(k, tolerance) for k in dense], "dashed", colour))
        series.append(Series("", conditions, counts, "dots", colour))
    series.append(Series("Newton", conditions, [1.0] * len(conditions), colour=4))
    rows = tuple((f"{k:,.0f}", *(f"{steps[m.label][i]:,}" for m in METHODS)) for i, k in enumerate(conditions))
    return curves(
        "valley-steps",
        "Steps against the condition number",
        "Dots: steps until a millionth of the distance is left. Dashes: what the long-run rate of theory gives. Both "
        "scales are logarithmic: gradient descent rises twice as steeply as momentum.",
        series,
        Axis("condition number, logarithmic scale", "log"),
        Axis("steps, logarithmic scale", "log"),
        Table("Steps to a millionth", ("k", *(m.label for m in METHODS)), rows),
    )


def tracks(paths: dict[str, Floats]) -> Picture:
    """Draw the paths through the valley from above.

    Args:
        paths: Points of each method, ``[steps, 2]``, all from the same start.
    """
    start = next(iter(paths.values()))[0]
    around = np.linspace(0, 2 * math.pi, 181)
    levels = [
        Series("lines of equal error" if n == 0 else "", r * np.cos(around), r / 10 * np.sin(around), "dashed", 5)
        for n, r in enumerate((10.0, 6.0, 3.0))
    ]
    walks = [Series(label, p[:_SHOWN, 0], p[:_SHOWN, 1], colour=n) for n, (label, p) in enumerate(paths.items())]
    newton = Series("Newton", [start[0], 0.0], [start[1], 0.0], colour=3)
    return curves(
        "valley-paths",
        "Four ways down a valley",
        f"The first {_SHOWN} steps from the upper left; the bottom is at (0, 0), and the upward axis, a hundred times "
        "as steep, is stretched. Gradient descent jumps from wall to wall at every step; the best momentum swings "
        "wide at first, and is down before the others.",
        [*levels, *walks, newton],
        Axis("along the valley", limits=(-11.0, 11.0)),
        Axis("across the valley", limits=(-3.5, 3.5)),
        height=340.0,
    )


def sizes(memory: Sequence[tuple[int, int, int]]) -> Picture:
    """Draw the memory of a Hessian and of a product with it.

    Args:
        memory: Weights, bytes of the Hessian, and bytes of a product, for each network.
    """
    weights = [size for size, _, _ in memory]
    dense = np.geomspace(weights[0], 1e9, 60)
    rows = tuple((f"{size:,}", f"{a / 1e6:,.3f}", f"{b / 1e6:,.3f}") for size, a, b in memory)
    return curves(
        "valley-memory",
        "What second order costs",
        "Memory against the number of weights. Dashes: 4 bytes for each pair of weights, and for each weight. Dots: "
        "measured, with all that is needed on the way.",
        [
            Series("the whole Hessian", dense, 4 * dense**2, "dashed", 0),
            Series("", weights, [a for _, a, _ in memory], "dots", 0),
            Series("a product with a vector", dense, 4 * dense, "dashed", 1),
            Series("", weights, [b for _, _, b in memory], "dots", 1),
        ],
        Axis("weights, logarithmic scale", "log"),
        Axis("bytes, logarithmic scale", "log"),
        Table("Memory, in MB", ("weights", "Hessian", "product"), rows),
    )
