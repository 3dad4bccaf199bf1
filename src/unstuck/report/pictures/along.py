"""The loss along the step that was taken, at the first, a middle and the last probe."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unstuck.record import Probe, Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Key, Missing, Picture, both
from unstuck.report.pictures.plot import Box, Span, draw_axes, padded
from unstuck.report.pictures.series import floating, probes_with, spread_out, why_missing
from unstuck.report.pictures.svg import Svg
from unstuck.report.words import count, number

_TITLE = "The loss along the step taken"


@dataclass(frozen=True)
class _Walk:
    step: int
    scales: tuple[float, ...]
    losses: tuple[float, ...]
    optimum: float


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return small pictures of the loss at multiples of the step, with the step and the best multiple marked."""
    walks = [walk for walk in map(_walk, probes_with(run, "along_update")) if walk]
    if not walks:
        return Missing(_TITLE, why_missing(run, "along_update"))
    chosen = [walks[i] for i in spread_out(len(walks), 3)]
    drawings = both(lambda name, width: _svg(chosen, name, width), "along")
    caption = (
        "The loss of the same batch if the step had been this many times as long. A lowest point far to the right of "
        "1 says that the step is too short, one left of 1 that it is too long."
    )
    keys = (Key("s1", "loss"), Key("taken", "the step taken"), Key("s2 dashed", "best multiple, by the curvature"))
    return Picture("along", _TITLE, caption, drawings, keys)


def _walk(probe: Probe) -> _Walk | None:
    values = probe.m["along_update"]
    scales, losses = values.get("scales") or [], values.get("losses") or []
    pairs = [(floating(scale), floating(loss)) for scale, loss in zip(scales, losses, strict=False)]
    pairs = sorted(pair for pair in pairs if all(map(math.isfinite, pair)))
    if len(pairs) < 2 or pairs[0][0] == pairs[-1][0]:
        return None
    scales, losses = zip(*pairs, strict=True)
    return _Walk(probe.step, scales, losses, floating(values.get("optimum")))


def _svg(walks: list[_Walk], name: str, width: float) -> str:
    beside = width > 600
    panel = (width - 28 * (len(walks) - 1)) / len(walks) if beside else width
    panel = min(panel, 460.0)
    height = 230.0
    svg = Svg(name, width, height if beside else height * len(walks) + 20 * (len(walks) - 1))
    for i, walk in enumerate(walks):
        left, top = (i * (panel + 28), 0.0) if beside else (0.0, i * (height + 20))
        _panel(svg, walk, Box(left, top, left + panel, top + height))
    return svg.render(_TITLE, " ".join(f"Step {count(w.step)}: {_optimum(w)}." for w in walks))


def _optimum(walk: _Walk) -> str:
    if not math.isfinite(walk.optimum):
        return "no optimum: it still curves downwards"
    if walk.optimum <= 0:
        return "the loss rises along the step"
    return f"best at {number(walk.optimum)} times the step"


def _panel(svg: Svg, walk: _Walk, box: Box) -> None:
    svg.text(box.left, box.top + 12, f"step {count(walk.step)}", "start", "title strong")
    svg.text(box.left, box.top + 28, _optimum(walk), "start", "tick")
    far = walk.scales[-1] > 8
    x = Span(min(walk.scales[0], 0.0), max(walk.scales[-1], 1.0), "symlog" if far else "linear")
    y = Span(*padded(np.array(walk.losses), pad=0.1))
    inner = Box(box.left, box.top + 30, box.right, box.bottom)
    plot = draw_axes(svg, inner, x, y, ("multiple of the step", ""), x_room=44)
    svg.line(plot.x(1.0), plot.box.top, plot.x(1.0), plot.box.bottom, "taken")
    if x.low <= walk.optimum <= x.high:
        svg.line(plot.x(walk.optimum), plot.box.top, plot.x(walk.optimum), plot.box.bottom, "line s2 dashed")
    elif walk.optimum > x.high:
        tip, middle = plot.box.right, (plot.box.top + plot.box.bottom) / 2
        svg.add(
            "path",
            d=f"M{tip - 9:.1f} {middle - 6:.1f}L{tip:.1f} {middle:.1f}L{tip - 9:.1f} {middle + 6:.1f}",
            class_="line s2",
        )
    plot.line(walk.scales, walk.losses, "s1")
    plot.dots(walk.scales, walk.losses, "s1")
