"""How fast each layer learns, over time: a heat map of the size of each layer's gradient at its pre-activations."""

from __future__ import annotations

import math

import numpy as np

from unstuck.record import Probe, Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Missing, Picture, Table, both
from unstuck.report.pictures.plot import Span
from unstuck.report.pictures.series import Floats, floating, probes_with, spread_out, why_missing
from unstuck.report.pictures.svg import Svg, text_width
from unstuck.report.words import clean, count, fitted, number

_TITLE = "How fast each layer learns"
_COLOURS = 24
_MOST_LAYERS, _MOST_COLUMNS = 64, 120


def layer_names(run: Run, probes: list[Probe]) -> list[str]:
    """Return the layers that the probes measured, in forward order."""
    measured = dict.fromkeys(name for probe in probes for name in probe.m["layers"])
    known = [layer.name for layer in run.layers if layer.name in measured]
    return known + [name for name in measured if name not in set(known)]


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the heat map: a row for each layer, a column for each probe step."""
    probes = probes_with(run, "layers")
    names = layer_names(run, probes)
    values = np.array([[floating(p.m["layers"].get(n, {}).get("delta")) for p in probes] for n in names])
    if not names or not np.isfinite(values).any():
        return Missing(_TITLE, why_missing(run, "layers"))
    rows, columns = spread_out(len(names), _MOST_LAYERS), spread_out(len(probes), _MOST_COLUMNS)
    shown = values[np.ix_(rows, columns)]
    labels, steps = [clean(names[i]) for i in rows], [probes[i].step for i in columns]
    drawings = both(lambda name, width: _svg(shown, labels, steps, name, width), "speed")
    return Picture(
        "speed", _TITLE, _caption(values, len(rows), len(names)), drawings, table=_table(values, names, probes)
    )


def _caption(values: Floats, rows: int, layers: int) -> str:
    text = (
        "Each row is a layer, the first one on top; each column is a probe step. The colour is the size of the "
        "gradient that reaches the layer (of the mean loss, at its pre-activations), on a logarithmic scale."
    )
    if rows < layers:
        text += f" {rows} of {layers} layers are shown, evenly chosen."
    if (values == 0).any():
        text += " A gradient of exactly 0 has the darkest colour."
    if np.isinf(values).any() or np.isnan(values).any():
        text += " Empty cells: not measured, or not finite."
    return text


def _span(values: Floats) -> Span:
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return Span(0.1, 1.0, "log")
    low, high = float(positive.min()), float(positive.max())
    return Span(low, high, "log") if high > low * 1.05 else Span(low / 2, low * 2, "log")


def _svg(values: Floats, labels: list[str], steps: list[int], name: str, width: float) -> str:
    rows, columns = values.shape
    height = 26.0 if rows <= 12 else max(10.0, 340 / rows)
    room = 0.38 * width if width < 600 else 0.26 * width
    letters = int(room / text_width("x", 11))
    texts = fitted(labels, letters)
    left = max(text_width(text, 11) for text in texts) + 10
    top, right = 46.0, width - 2
    svg = Svg(name, width, top + rows * height + 40)
    span = _span(values)
    cell = (right - left) / columns
    bottom = top + rows * height
    svg.add("rect", x=left, y=top, width=right - left, height=rows * height, class_="hollow")
    _cells(svg, values, span, (left, top), (cell, height))
    for row in range(0, rows, math.ceil(14 / height)):
        svg.text(left - 8, top + (row + 0.5) * height + 4, texts[row], "end", "tick")
    reached = -math.inf
    for column, step in enumerate(steps):
        half = text_width(count(step), 11) / 2
        x = left + (column + 0.5) * cell
        if x - half > reached + 8 and x + half <= width and x - half >= 0:
            svg.text(x, bottom + 15, count(step), "middle", "tick")
            reached = x + half
    svg.text((left + right) / 2, bottom + 34, "probe step", "middle", "title")
    _legend(svg, span, left, right)
    return svg.render(_TITLE, _description(values, labels, steps))


def _cells(svg: Svg, values: Floats, span: Span, at: tuple[float, float], cell: tuple[float, float]) -> None:
    """Draw the cells as one path for each colour: a page with thousands of rectangles would be slow."""
    shade = span.scale(0.0, _COLOURS - 1.0)
    gap = min(cell) > 6
    paths: dict[int, list[str]] = {}
    for row, column in np.argwhere(np.isfinite(values)):
        value = float(values[row, column])
        colour = round(shade(value)) if value > 0 else 0
        x, y = at[0] + column * cell[0], at[1] + row * cell[1]
        w, h = cell[0] + (-1.0 if gap else 0.7), cell[1] + (-1.0 if gap else 0.7)  # small ones overlap: no seams
        paths.setdefault(colour, []).append(f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h{-w:.1f}z")
    for colour, parts in sorted(paths.items()):
        svg.add("path", d="".join(parts), class_=f"cell h{colour}")


def _legend(svg: Svg, span: Span, left: float, right: float) -> None:
    end = right - text_width("fast", 11) - 4
    start = max(left, end - 280, text_width("slow", 11) + 10)
    width = (end - start) / _COLOURS
    for colour in range(_COLOURS):
        svg.add("rect", x=start + colour * width, y=4.0, width=width + 0.4, height=10, class_=f"h{colour}")
    scale = span.scale(start, end)
    reached = -math.inf
    for value, label in scale.ticks(40):
        half = text_width(label, 11) / 2
        x = min(max(scale(value), start), svg.width - half)
        if x - half > reached + 6:
            svg.text(x, 28, label, "middle", "tick")
            reached = x + half
    svg.text(start - 8, 13, "slow", "end", "tick")
    svg.text(end + 8, 13, "fast", "start", "tick")


def _description(values: Floats, labels: list[str], steps: list[int]) -> str:
    ends = []
    for column in dict.fromkeys((0, values.shape[1] - 1)):
        seen = [(labels[i], values[i, column]) for i in range(len(labels)) if np.isfinite(values[i, column])]
        if seen:
            (first, a), (last, b) = seen[0], seen[-1]
            ends.append(f"at step {count(steps[column])} {number(a)} in {first} and {number(b)} in {last}")
    return f"Size of the gradient by layer: {'; '.join(ends)}."


def _table(values: Floats, names: list[str], probes: list[Probe]) -> Table:
    columns = spread_out(len(probes), 8)
    rows = tuple((clean(name), *(_cell(values[i, c]) for c in columns)) for i, name in enumerate(names))
    return Table("Gradient size by layer and step", ("Layer", *(count(probes[c].step) for c in columns)), rows)


def _cell(value: float) -> str:
    return number(value) if math.isfinite(value) else "-"
