"""The network as columns of units, each with a bar for its share of the gradient, after Nielsen's chapter 5."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass

from unstuck.record import Probe, Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Missing, Picture, both
from unstuck.report.pictures.series import floating, probes_with, spread_out, why_missing
from unstuck.report.pictures.speed import layer_names
from unstuck.report.pictures.svg import Svg, text_width
from unstuck.report.words import clean, count, fitted, number

_TITLE = "Which units learn"
_MOST_UNITS = 64
_MOST_EDGES = 160  # between two columns: enough to show the wiring, few enough to see through


@dataclass(frozen=True)
class Column:
    """A layer: its name, the speeds of the units that are drawn, how many it has, and its own speed."""

    name: str
    units: tuple[float, ...]  # NaN where not finite
    of: int
    delta: float


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the network at the first probe step, and beside it at the last."""
    probes = [p for p in probes_with(run, "layers") if any(v.get("delta_units") for v in p.m["layers"].values())]
    if not probes:
        return Missing(_TITLE, why_missing(run, "layers"))
    ends = [probes[0]] if len(probes) == 1 else [probes[0], probes[-1]]
    names = [n for n in layer_names(run, ends) if any(p.m["layers"].get(n, {}).get("delta_units") for p in ends)]
    drawings = both(lambda name, width: _svg(run, ends, names, name, width), "network")
    return Picture("network", _TITLE, _caption(run, ends, names), drawings)


def _columns(run: Run, probe: Probe, names: list[str]) -> list[Column]:
    units = {layer.name: layer.units for layer in run.layers}
    found = []
    for name in names:
        layer = probe.m["layers"].get(name, {})
        values = tuple(floating(v) for v in (layer.get("delta_units") or [])[:_MOST_UNITS])
        if values:
            found.append(Column(clean(name), values, units.get(name, len(values)), floating(layer.get("delta"))))
    return found


def _caption(run: Run, ends: list[Probe], names: list[str]) -> str:
    text = (
        "A circle is a unit (a channel in a convolution), a column is a layer, input on the left. The bar is the "
        "unit's gradient: how fast its bias would move. Each network has its own scale, given by the bar above it. The "
        "number under a column is the whole layer's. Lines are a sample of the connections."
    )
    if any(column.of > len(column.units) for column in _columns(run, ends[0], names)):
        text += f" Of larger layers the first {_MOST_UNITS} units are drawn."
    return text


def _svg(run: Run, ends: list[Probe], names: list[str], name: str, width: float) -> str:
    beside = width > 600 and len(ends) > 1
    panel = (width - 40) / 2 if beside else width
    most = max(2, int(panel / 64))
    chosen = [names[i] for i in spread_out(len(names), most)]
    nets = [_columns(run, probe, chosen) for probe in ends]
    heights = [panel_height(net) for net in nets]
    svg = Svg(name, width, max(heights) if beside else sum(heights) + 16 * (len(ends) - 1))
    x = y = 0.0
    for probe, net, height in zip(ends, nets, heights, strict=True):
        draw_panel(svg, net, f"step {count(probe.step)}", _hidden(len(chosen), len(names)), (x, y, panel, height))
        x, y = (x + panel + 40, y) if beside else (x, y + height + 16)
    return svg.render(_TITLE, _description(ends, nets))


def _hidden(shown: int, layers: int) -> str:
    return f", {shown} of {layers} layers" if shown < layers else ""


def _pitch(net: list[Column]) -> float:
    return min(20.0, max(7.5, 300 / max((len(column.units) for column in net), default=1)))


def panel_height(net: list[Column]) -> float:
    """Return the height that a network needs.

    Args:
        net: Its layers.
    """
    tallest = max((len(column.units) for column in net), default=0)
    return 72 + tallest * _pitch(net) + 46


def draw_panel(svg: Svg, net: list[Column], title: str, more: str, at: tuple[float, float, float, float]) -> None:
    """Draw one network.

    Args:
        svg: Where.
        net: Its layers.
        title: What stands above it.
        more: What follows that.
        at: Left, top, width and height.
    """
    left, top, width, height = at
    svg.text(left, top + 12, title + more, "start", "title strong")
    if not net:
        svg.text(left, top + 34, "not measured at this step", "start", "tick")
        return
    largest = max((v for c in net for v in c.units if math.isfinite(v)), default=0.0)
    cell, pitch = width / len(net), _pitch(net)
    middle = top + 54 + (height - 72 - 46) / 2 + 6
    bar = min(cell * 0.52, 120.0)
    svg.add("rect", x=left, y=top + 24.0, width=bar, height=5, class_="unit-bar")
    svg.text(left + bar + 6, top + 31, f"= {number(largest)}", "start", "tick")
    places = [_places(column, left + i * cell + 8, middle, pitch) for i, column in enumerate(net)]
    _edges(svg, places)
    radius = min(6.0, pitch * 0.4)
    names = fitted([column.name for column in net], max(4, int((cell - 6) / text_width("x", 11))))
    for i, (column, units) in enumerate(zip(net, places, strict=True)):
        _units(svg, column, units, radius, bar, largest)
        _labels(svg, column, names[i], left + i * cell, cell, top + height)


def _places(column: Column, x: float, middle: float, pitch: float) -> list[tuple[float, float]]:
    start = middle - pitch * (len(column.units) - 1) / 2
    return [(x, start + i * pitch) for i in range(len(column.units))]


def _edges(svg: Svg, places: list[list[tuple[float, float]]]) -> None:
    for before, after in itertools.pairwise(places):
        pairs = [(a, b) for a in before for b in after]
        drawn = random.Random(0).sample(pairs, min(len(pairs), _MOST_EDGES))  # an even stride would make patterns
        lines = (f"M{a[0]:.0f} {a[1]:.0f}L{b[0]:.0f} {b[1]:.0f}" for a, b in drawn)
        svg.add("path", d="".join(lines), class_="edge")


def _units(
    svg: Svg, column: Column, places: list[tuple[float, float]], radius: float, bar: float, largest: float
) -> None:
    for value, (x, y) in zip(column.units, places, strict=True):
        svg.add("circle", cx=x, cy=y, r=radius, class_="unit" if math.isfinite(value) else "unit broken")
        length = bar * value / largest if largest > 0 and math.isfinite(value) else 0.0
        if length >= 0.3:
            thick = max(3.0, radius * 0.9)
            svg.add("rect", x=x + radius + 1, y=y - thick / 2, width=length, height=thick, class_="unit-bar")


def _labels(svg: Svg, column: Column, name: str, left: float, cell: float, bottom: float) -> None:
    more = f"first {len(column.units)} of {count(column.of)}"
    svg.text(left, bottom - 32, name, "start", "tick strong")
    svg.text(left, bottom - 18, number(column.delta) if math.isfinite(column.delta) else "not finite", "start", "tick")
    if column.of > len(column.units):
        fits = more if text_width(more, 11) < cell - 4 else f"of {count(column.of)}"
        svg.text(left, bottom - 4, fits, "start", "tick faint")


def _description(ends: list[Probe], nets: list[list[Column]]) -> str:
    parts = []
    for probe, net in zip(ends, nets, strict=True):
        sizes = ", ".join(f"{column.name} {number(column.delta)}" for column in net)
        parts.append(f"Gradient of the layers at step {count(probe.step)}: {sizes}.")
    return " ".join(parts)
