"""A plot area with axes: the frame that the line pictures share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unstuck.report.pictures.scale import Kind, Scale
from unstuck.report.pictures.svg import Svg, text_width

_ROOM_Y, _ROOM_X = 26.0, 76.0


@dataclass(frozen=True)
class Box:
    """A rectangle of a picture, its y growing downwards."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Span:
    """What an axis has to show: the range of its values and the kind of its scale."""

    low: float
    high: float
    kind: Kind = "linear"
    threshold: float = 1.0
    whole: bool = False

    def scale(self, start: float, end: float) -> Scale:
        """Return the scale of this span between two positions."""
        return Scale(self.low, self.high, start, end, self.kind, self.threshold, self.whole)


@dataclass(frozen=True)
class Plot:
    """A box with its two scales."""

    svg: Svg
    box: Box
    x: Scale
    y: Scale

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[tuple[float, float] | None]:
        """Return positions; ``None`` where a value is not finite or cannot stand on a logarithmic axis."""
        return [
            (self.x(x), self.y(y)) if math.isfinite(y) and (y > 0 or self.y.kind != "log") else None
            for x, y in zip(xs, ys, strict=True)
        ]

    def line(self, xs: Sequence[float], ys: Sequence[float], class_: str) -> None:
        """Draw a line through the points."""
        self.svg.path(self.points(xs, ys), f"line {class_}")

    def dots(self, xs: Sequence[float], ys: Sequence[float], class_: str, most: int = 40) -> None:
        """Draw the points as dots, unless there are more than ``most``."""
        if len(xs) <= most:
            for point in filter(None, self.points(xs, ys)):
                self.svg.add("circle", cx=point[0], cy=point[1], r=2.5, class_=f"dot {class_}")


def draw_axes(
    svg: Svg, box: Box, x: Span, y: Span, titles: tuple[str, str], x_room: float = _ROOM_X, margin: float = 0.0
) -> Plot:
    """Draw grid, ticks and axis titles inside ``box`` and return the plot area that is left.

    Args:
        svg: Picture to draw in.
        box: Room for the plot with its labels.
        x: Span of the horizontal axis.
        y: Span of the vertical axis.
        titles: Names of the two axes; the vertical one's is written above it, where it needs no turned head.
        x_room: Least distance of two ticks of the horizontal axis.
        margin: Least room on the left, for a plot that shares its left edge with another.

    Returns:
        The plot area, ready for lines.
    """
    top, bottom = box.top + (20 if titles[1] else 6), box.bottom - (36 if titles[0] else 20)
    ys = y.scale(bottom, top)
    y_ticks = ys.ticks(_ROOM_Y)
    left = box.left + max((text_width(label, 11) for _, label in y_ticks), default=0) + 8
    left = max(left, box.left + margin)
    right = box.right - 10
    xs = x.scale(left, right)
    for value, label in y_ticks:
        svg.line(left, ys(value), right, ys(value), "grid")
        svg.text(left - 6, ys(value) + 4, label, "end", "tick")
    draw_x_ticks(svg, xs, bottom, (box.left, box.right), x_room)
    svg.line(left, bottom, right, bottom, "axis")
    if titles[1]:
        svg.text(box.left, box.top + 12, titles[1], "start", "title")
    if titles[0]:
        svg.text((left + right) / 2, box.bottom - 4, titles[0], "middle", "title")
    return Plot(svg, Box(left, top, right, bottom), xs, ys)


def draw_x_ticks(svg: Svg, scale: Scale, bottom: float, limits: tuple[float, float], room: float = _ROOM_X) -> None:
    """Draw ticks below ``bottom``, their labels within ``limits`` and never one over another."""
    reached = limits[0]
    for value, label in scale.ticks(room):
        half = text_width(label, 11) / 2
        centre = min(scale(value), limits[1] - half)
        svg.line(scale(value), bottom, scale(value), bottom + 4, "axis")
        if centre - half >= reached:
            svg.text(centre, bottom + 16, label, "middle", "tick")
            reached = centre + half + 8


def padded(values: NDArray[np.float64], kind: Kind = "linear", pad: float = 0.06) -> tuple[float, float]:
    """Return the range of the finite ``values`` with some room on both sides, never empty."""
    finite = np.clip(values[np.isfinite(values)], -1e300, 1e300)
    if kind == "log":
        finite = np.log10(np.maximum(finite[finite > 0], 1e-300))
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    least = 0.1 if kind == "log" else max(abs(low), abs(high)) * 1e-3 or 1.0
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    room = pad * (high - low)
    low, high = low - room, high + room
    return (10.0**low, 10.0 ** min(high, 308)) if kind == "log" else (low, high)


def steps_span(steps: NDArray[np.float64]) -> Span:
    """Return the span of the step axis."""
    low, high = float(steps.min()), float(steps.max())
    return Span(low, high if high > low else low + 1, whole=True)
