"""The pictures of ``encoder``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unstuck.lab.encoders import Learned, Size
from unstuck.lab.plots import Axis, Bar, Floats, Series, Style, bars, curves
from unstuck.report.pictures.picture import Picture


def all_rules(learned: Sequence[Learned], limit: int) -> Picture:
    """Draw how long each rule took at its best rate.

    Args:
        learned: The rules, Quickprop first.
        limit: Most epochs; what has not arrived by then counts as it.
    """
    rows = []
    for number, one in enumerate(learned):
        place = one.best(limit)
        low, mean, high = _spread(np.minimum(one.epochs[place], limit))
        rows.append(Bar(one.label.replace(" with the", ","), mean, low, high, 0 if number == 0 else 1, f"{mean:.0f}"))
    return bars(
        "encoder-epochs",
        "Epochs until the encoder is learned",
        "Means over the networks at the best rate of each rule; whiskers hold eight of ten networks. The scale is "
        "logarithmic.",
        rows,
        Axis("epochs, logarithmic scale", "log", limits=(5.0, 1.1 * limit)),
    )


def _spread(counts: Floats) -> tuple[float, float, float]:
    low, high = np.percentile(counts, [10, 90])
    return float(low), float(counts.mean()), float(high)


def courses(learned: Sequence[Learned], limit: int) -> Picture:
    """Draw the share of the networks that have learned it, over time.

    Args:
        learned: The rules, Quickprop first.
        limit: Most epochs; what has not arrived by then counts as it.
    """
    passes = np.arange(5, limit + 1)
    series = []
    for number, one in enumerate(learned):
        style: Style = "line" if number < 3 else "dashed"
        counts = one.epochs[one.best(limit)]
        series.append(Series(one.label, passes, 100 * (counts[None] <= passes[:, None]).mean(1), style))
    return curves(
        "encoder-courses",
        "How many networks have learned it by then",
        "Each curve is a rule at its best rate. All start from the same weights.",
        series,
        Axis("epochs, logarithmic scale", "log"),
        Axis("networks that are right in all outputs, %", limits=(0.0, 100.0)),
    )


def grid(learned: Sequence[Learned], limit: int) -> Picture:
    """Draw how long the first three rules took at each rate.

    Args:
        learned: The rules, Quickprop first.
        limit: Most epochs; what has not arrived by then counts as it.
    """
    series = []
    for number, one in enumerate(learned[:3]):
        means = one.means(limit)
        series.append(Series(one.label, one.rates, means, colour=number))
        series.append(Series("", one.rates, means, "dots", colour=number))
    return curves(
        "encoder-grid",
        "How much depends on the learning rate",
        f"Mean epochs by learning rate, which is epsilon for Quickprop. What never arrived counts as {limit}.",
        series,
        Axis("learning rate, logarithmic scale", "log"),
        Axis("epochs, logarithmic scale", "log"),
    )


def other_sizes(sizes: Sequence[tuple[Size, Floats]], limit: int, epsilon: float) -> Picture:
    """Draw how long Quickprop took for encoders of other sizes.

    Args:
        sizes: Sizes, each with the epochs of its networks, ``[seeds]``.
        limit: As in :func:`all_rules`.
        epsilon: Epsilon of Quickprop.
    """
    rows = []
    for size, counts in sizes:
        low, mean, high = _spread(np.minimum(counts, limit))
        rows.append(Bar(str(size), mean, low, high, 0, f"{mean:.1f}"))
    caption = f"Quickprop with epsilon {epsilon:g} for all; whiskers hold eight of ten networks."
    return bars("encoder-sizes", "Encoders of other sizes", caption, rows, Axis("epochs"))
