"""A picture as data: curves on two axes, to be drawn as SVG or with the characters of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unstuck.report.pictures.plot import Span

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through points, or the points alone. The order in the figure decides about colour and dashes.

    Attributes:
        label: What it stands for.
        xs: Positions on the horizontal axis.
        ys: Values; what is not finite or outside the axes is not drawn.
        dots: Draw points instead of a line.
    """

    label: str
    xs: Floats
    ys: Floats
    dots: bool = False


@dataclass(frozen=True, eq=False)
class Figure:
    """Up to four curves on two axes.

    Attributes:
        x: The horizontal axis.
        y: The vertical axis.
        titles: Names of the two.
        curves: What is drawn.
    """

    x: Span
    y: Span
    titles: tuple[str, str]
    curves: tuple[Curve, ...] = field(default=())


def curve(label: str, xs: ArrayLike, ys: ArrayLike, *, dots: bool = False) -> Curve:
    """Return a curve through points given as anything that numpy takes."""
    return Curve(label, np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64), dots)


def over_steps(*curves: tuple[str, Sequence[float] | Floats], y: Span, title: str = "loss") -> Figure:
    """Return a figure of values over the steps of a training, the first of them step 0.

    Args:
        curves: Labels and values.
        y: The vertical axis.
        title: Its name.

    Returns:
        The figure.
    """
    steps = max(len(values) for _, values in curves) - 1
    drawn = tuple(curve(label, np.arange(len(values)), values) for label, values in curves)
    return Figure(Span(0, steps, whole=True), y, ("step", title), drawn)


def visible(figure: Figure, one: Curve) -> list[tuple[float, float] | None]:
    """Return a curve's points, None where one lies outside the axes; the line is lifted there."""
    x, y = figure.x, figure.y
    # A hair beyond the end, for values that were computed to lie on it.
    inside = np.isfinite(one.ys) & (one.ys <= _beyond(y)) & (one.xs >= x.low) & (one.xs <= _beyond(x))
    inside &= one.ys >= y.low - 1e-9 * (y.high - y.low)
    pairs = zip(one.xs.tolist(), one.ys.tolist(), inside.tolist(), strict=True)
    return [(a, b) if seen else None for a, b, seen in pairs]


def _beyond(span: Span) -> float:
    return span.high + 1e-9 * (span.high - span.low)
