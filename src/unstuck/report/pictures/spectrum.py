"""The ends of the curvature's spectrum over the steps, and the curvature along the gradient."""

from __future__ import annotations

import numpy as np

from unstuck.record import Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Key, Missing, Picture, both
from unstuck.report.pictures.plot import Box, Span, draw_axes, steps_span
from unstuck.report.pictures.series import Floats, column, probes_with, steps_of, why_missing
from unstuck.report.pictures.svg import Svg
from unstuck.report.words import count, number

_TITLE = "Curvature: the ends of the spectrum"
_LINES = (
    ("largest", "s1", "largest: across the valley"),
    ("along_gradient", "s3 dotted", "along the gradient"),
    ("smallest", "s2 dashed", "smallest: below 0 at a saddle"),
)
_DECADES = 6  # shown on each side of 0 at most


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return largest and smallest eigenvalue of the Hessian and the curvature along the gradient."""
    probes = probes_with(run, "curvature")
    values = {key: column(probes, "curvature", key) for key, _, _ in _LINES}
    if not any(np.isfinite(v).any() for v in values.values()):
        return Missing(_TITLE, why_missing(run, "curvature"))
    steps = steps_of(probes)
    words = _description(steps, values)
    drawings = both(lambda name, width: _svg(steps, values, words, name, min(width, 470.0)), "spectrum")
    keys = tuple(Key(class_, label) for key, class_, label in _LINES if np.isfinite(values[key]).any())
    caption = f"{words} Above 0 the loss curves upwards, below 0 downwards; where both are near 0 the surface is flat."
    return Picture("spectrum", _TITLE, caption, drawings, keys)


def _description(steps: Floats, values: dict[str, Floats]) -> str:
    last = len(steps) - 1
    known = [(name, float(values[key][last])) for key, name in (("largest", "largest"), ("smallest", "smallest"))]
    parts = [f"the {name} curvature is {number(value)}" for name, value in known if np.isfinite(value)]
    return f"At step {count(int(steps[last]))} {' and '.join(parts) or 'nothing finite was measured'}."


def _span(values: Floats) -> Span:
    """A symmetric logarithmic axis whose linear part is as small as the smallest value asks, within limits."""
    seen = np.append(values[np.isfinite(values)], 0.0)
    sizes = np.abs(seen[seen != 0])
    largest = float(sizes.max()) if len(sizes) else 1.0
    smallest = max(float(sizes.min()) if len(sizes) else 1.0, largest * 10.0**-_DECADES)
    threshold = 10.0 ** np.floor(np.log10(smallest))
    room = threshold  # so that a value of 0 does not stand on the frame
    return Span(float(seen.min()) * 1.6 - room, float(seen.max()) * 1.6 + room, "symlog", float(threshold))


def _svg(steps: Floats, values: dict[str, Floats], words: str, name: str, width: float) -> str:
    svg = Svg(name, width, 260)
    span = _span(np.concatenate(list(values.values())))
    title = "curvature, log scale on both sides of 0"
    plot = draw_axes(svg, Box(0, 0, width, 260), steps_span(steps), span, ("step", title))
    svg.line(plot.box.left, plot.y(0.0), plot.box.right, plot.y(0.0), "axis")
    for key, class_, _ in _LINES:
        plot.line(steps.tolist(), values[key].tolist(), class_)
        plot.dots(steps.tolist(), values[key].tolist(), class_)
    return svg.render(_TITLE, words)
