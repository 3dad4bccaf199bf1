"""Sharpness against the optimizer's stability limit, over the steps."""

from __future__ import annotations

import numpy as np

from unstuck.record import Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Key, Missing, Picture, both
from unstuck.report.pictures.plot import Box, Span, draw_axes, padded, steps_span
from unstuck.report.pictures.series import Floats, column, probes_with, steps_of, why_missing
from unstuck.report.pictures.svg import Svg
from unstuck.report.words import clean, count, number, percent

_TITLE = "Sharpness against the stability limit"


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the largest curvature at each probe step, with the limit above which the step overshoots."""
    probes = probes_with(run, "sharpness")
    largest, limit = column(probes, "sharpness", "largest"), column(probes, "sharpness", "limit")
    limit = np.where(np.isfinite(limit) & (limit > 0), limit, np.nan)
    if not (np.isfinite(largest) & (largest > 0)).any():
        return Missing(_TITLE, why_missing(run, "sharpness"))
    steps = steps_of(probes)
    words = _description(steps, largest, limit)
    drawings = both(lambda name, width: _svg(steps, largest, limit, words, name, min(width, 470.0)), "sharpness")
    keys = [Key("s1", "sharpness (largest curvature)")]
    if np.isfinite(limit).any():
        keys.append(Key("s2 dashed", "stability limit of the optimizer"))
    return Picture("sharpness", _TITLE, _caption(words, probes[0].m["sharpness"]), drawings, tuple(keys))


def _caption(words: str, first: dict[str, object]) -> str:
    rule = f" The limit is that of {clean(first['rule'])}." if first.get("rule") else ""
    scaled = (
        " Curvature is measured as the optimizer sees it, divided by its own scaling."
        if first.get("preconditioned")
        else ""
    )
    return f"{words} Far below the limit, a larger step is possible; above it, steps overshoot.{rule}{scaled}"


def _description(steps: Floats, largest: Floats, limit: Floats) -> str:
    last = int(np.flatnonzero(np.isfinite(largest))[-1])
    text = f"At step {count(int(steps[last]))} the sharpness is {number(float(largest[last]))}"
    if not np.isfinite(limit[last]):
        return f"{text}; no limit is known for this optimizer."
    share, bound = float(largest[last] / limit[last]), number(float(limit[last]))
    if 0 < share < 0.5:
        return f"{text}, {number(1 / share)} times below the limit of {bound}."
    return f"{text}, {percent(share) + ' of' if share < 1 else number(share) + ' times'} the limit of {bound}."


def _svg(steps: Floats, largest: Floats, limit: Floats, words: str, name: str, width: float) -> str:
    svg = Svg(name, width, 260)
    low, high = padded(np.concatenate([largest, limit]), "log")
    if np.isfinite(limit).any():
        high = max(high, 4 * float(np.nanmax(limit)), float(np.nanmax(limit)) * (np.nanmax(limit) / low) ** 0.25)
    plot = draw_axes(
        svg, Box(0, 0, width, 260), steps_span(steps), Span(low, high, "log"), ("step", "curvature, log scale")
    )
    if np.isfinite(limit).any():
        _shade(svg, [p for p in plot.points(steps.tolist(), limit.tolist()) if p], plot.box)
        plot.line(steps.tolist(), limit.tolist(), "s2 dashed")
    plot.line(steps.tolist(), largest.tolist(), "s1")
    plot.dots(steps.tolist(), largest.tolist(), "s1")
    if np.isfinite(limit).any():
        svg.text(plot.box.left + 8, plot.box.top + 16, "unstable: steps overshoot", "start", "region-text")
    return svg.render(_TITLE, words)


def _shade(svg: Svg, points: list[tuple[float, float]], box: Box) -> None:
    first, last = (box.left, points[0][1]), (box.right, points[-1][1])
    corners = [(box.left, box.top), first, *points, last, (box.right, box.top)]
    svg.add("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), class_="region")
