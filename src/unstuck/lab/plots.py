"""The pictures of experiments: curves, points, and bars with whiskers, in the style of the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unstuck.report.pictures.picture import Key, Picture, Table, both
from unstuck.report.pictures.plot import Box, Plot, Span, draw_axes, draw_x_ticks, padded
from unstuck.report.pictures.scale import Kind
from unstuck.report.pictures.svg import Svg, text_width

Floats = NDArray[np.float64]
Style = Literal["line", "dots", "dashed"]

#: Points of a curve that are drawn at most: more cannot be seen.
_MOST = 600
#: Least distance of two ticks below bars.
_ROOM = 76.0
#: Colours of the style sheet.
COLOURS = ("s1", "s2", "s3", "s4", "s5", "s6")


@dataclass(frozen=True)
class Series:
    """One curve.

    Attributes:
        label: What it is, for the legend.
        x: Horizontal values, ``[n]``.
        y: Vertical values, ``[n]``; NaN lifts the pen.
        style: Line, dots, or dashes (as theory is drawn).
        colour: Number of its colour; by its place where None.
        low: Lower edge of a band about it, ``[n]``.
        high: Upper edge.
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    style: Style = "line"
    colour: int | None = None
    low: ArrayLike | None = None
    high: ArrayLike | None = None


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        title: What it measures.
        kind: Its scale.
        whole: Whether only whole numbers make sense.
        limits: Its range; that of the values where None.
    """

    title: str
    kind: Kind = "linear"
    whole: bool = False
    limits: tuple[float, float] | None = None

    def span(self, values: Floats, pad: float) -> Span:
        """Return the span that shows some values."""
        low, high = self.limits or padded(values, "log" if self.kind == "log" else "linear", pad)
        return Span(low, high, self.kind, whole=self.whole)


def curves(
    name: str,
    title: str,
    caption: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    table: Table | None = None,
    height: float = 300.0,
) -> Picture:
    """Draw curves over a common axis.

    Args:
        name: Unique in the page, beginning with the experiment's name.
        title: Heading.
        caption: How to read it.
        series: The curves.
        x: The horizontal axis.
        y: The vertical axis.
        table: The numbers, for those who would rather read them.
        height: Height of the picture.

    Returns:
        The picture.
    """
    xs = np.concatenate([_floats(s.x) for s in series])
    ys = np.concatenate([_floats(v) for s in series for v in (s.y, s.low, s.high) if v is not None])
    spans = x.span(xs, 0.0 if x.kind == "linear" else 0.03), y.span(ys, 0.06)

    def draw(name: str, width: float) -> str:
        svg = Svg(name, width, height)
        plot = draw_axes(svg, Box(0, 0, width, height), *spans, (x.title, y.title))
        for number, one in enumerate(series):
            _draw(plot, one, _colour(number, one))
        return svg.render(title, caption)

    keys = tuple(Key(_key(number, one), one.label) for number, one in enumerate(series) if one.label)
    return Picture(name, title, caption, both(draw, name), keys, table)


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: What it is.
        value: Its length, 0 or more.
        low: Lower end of its whisker; the value where None.
        high: Upper end.
        colour: Number of its colour.
        note: Word beside it; the value where empty.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    colour: int = 0
    note: str = ""


def bars(
    name: str, title: str, caption: str, rows: Sequence[Bar], axis: Axis, keys: Sequence[tuple[int, str]] = ()
) -> Picture:
    """Draw bars that lie one under the other, with whiskers for their spread.

    Args:
        name: Unique in the page, beginning with the experiment's name.
        title: Heading.
        caption: How to read it.
        rows: The bars.
        axis: Their scale; of a logarithmic one, bars begin at its lower end.
        keys: Colours of the legend by their numbers, with what they stand for.

    Returns:
        The picture.
    """
    ends = np.array([v for row in rows for v in (row.value, row.low, row.high) if v is not None], dtype=np.float64)
    low, high = axis.limits or padded(ends, "log" if axis.kind == "log" else "linear", 0.08)
    span = Span(low if axis.kind == "log" or axis.limits else 0.0, high, axis.kind, whole=axis.whole)
    pitch = 26.0

    def draw(name: str, width: float) -> str:
        height = pitch * len(rows) + 50
        svg = Svg(name, width, height)
        names = min(max(text_width(row.label, 12) for row in rows) + 12, 0.5 * width)
        note = max(text_width(row.note, 11) for row in rows) + 10
        plot = _lying(svg, Box(names, 6, width - note - 10, height - 36), span, axis.title)
        for place, row in enumerate(rows):
            _bar(plot, row, plot.box.top + (place + 0.5) * (plot.box.bottom - plot.box.top) / len(rows))
        return svg.render(title, caption)

    legend = tuple(Key(COLOURS[number], label) for number, label in keys)
    head = ("", axis.title, "spread")
    cells = tuple((row.label, f"{row.value:.4g}", _spread(row)) for row in rows)
    return Picture(name, title, caption, both(draw, name), legend, Table(title, head, cells))


def _lying(svg: Svg, box: Box, span: Span, title: str) -> Plot:
    """Draw the axes of bars that lie: only the horizontal one has numbers, and it alone has a grid."""
    scale = span.scale(box.left, box.right)
    for value, _ in scale.ticks(_ROOM):
        svg.line(scale(value), box.top, scale(value), box.bottom, "grid")
    draw_x_ticks(svg, scale, box.bottom, (0.0, svg.width), _ROOM)
    svg.line(box.left, box.bottom, box.right, box.bottom, "axis")
    svg.text((box.left + box.right) / 2, box.bottom + 32, title, "middle", "title")
    return Plot(svg, box, scale, Span(0.0, 1.0).scale(box.bottom, box.top))


def _bar(plot: Plot, row: Bar, middle: float) -> None:
    colour = COLOURS[row.colour]
    start, end = plot.box.left, plot.x(row.value)
    plot.svg.add("rect", x=start, y=middle - 7, width=max(end - start, 1.0), height=14, class_=f"bar {colour}")
    if row.low is not None and row.high is not None:
        left, right = plot.x(row.low), plot.x(row.high)
        plot.svg.line(left, middle, right, middle, "whisker")
        for x in (left, right):
            plot.svg.line(x, middle - 4, x, middle + 4, "whisker")
    plot.svg.text(start - 8, middle + 4, row.label, "end", "strong")
    plot.svg.text(plot.box.right + 12, middle + 4, row.note, "start", "tick")


def _spread(row: Bar) -> str:
    return "" if row.low is None or row.high is None else f"{row.low:.4g} to {row.high:.4g}"


def _draw(plot: Plot, one: Series, colour: str) -> None:
    xs, ys = _floats(one.x), _floats(one.y)
    keep = _thinned(len(xs))
    if one.low is not None and one.high is not None:
        lows, highs = _floats(one.low)[keep], _floats(one.high)[keep]
        upper = [point for point in plot.points(xs[keep], highs) if point]
        lower = [point for point in plot.points(xs[keep], lows) if point]
        outline = "".join(f"{'L' if place else 'M'}{a:.1f} {b:.1f}" for place, (a, b) in enumerate(upper + lower[::-1]))
        plot.svg.add("path", d=f"{outline}Z", class_=f"band {colour}")
    if one.style == "dots":
        for point in filter(None, plot.points(xs, ys)):
            plot.svg.add("circle", cx=point[0], cy=point[1], r=3.0, class_=f"dot {colour}")
    else:
        dashes = " dashed" if one.style == "dashed" else ""
        plot.line(list(xs[keep]), list(ys[keep]), f"{colour}{dashes}")


def _thinned(count: int) -> NDArray[np.intp]:
    """Return the numbers of the points that are drawn: all, or evenly spread with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, _MOST)).round().astype(np.intp))


def _colour(number: int, one: Series) -> str:
    return COLOURS[(number if one.colour is None else one.colour) % len(COLOURS)]


def _key(number: int, one: Series) -> str:
    return f"{_colour(number, one)}{' dashed' if one.style == 'dashed' else ''}"


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
