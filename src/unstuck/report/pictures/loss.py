"""The loss over the steps, with the findings marked on it and the learning rate below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unstuck.record import Pulse, Run
from unstuck.record.constant import pooled_constant
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Key, Missing, Picture, both
from unstuck.report.pictures.plot import Box, Plot, Span, draw_axes, draw_x_ticks, padded, steps_span
from unstuck.report.pictures.series import Floats, main_optimizer, smoothed, thinned
from unstuck.report.pictures.svg import Svg, text_width
from unstuck.report.words import count, number

_TITLE = "Loss"
_FLAGS = 19.0  # top of the row of flags, below the title of the axis


@dataclass(frozen=True)
class _Data:
    steps: Floats
    loss: Floats  # NaN where it was not seen or not finite
    lr: Floats
    bad: tuple[tuple[float, float], ...]  # first and last step of each stretch that is NaN or infinite
    constant: float
    marks: tuple[tuple[float, int], ...]  # step and number of each finding that has a step
    log: bool


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the loss curve of the main optimizer."""
    index = main_optimizer(run)
    if index is None or not np.isfinite(run.pulse[index].step).any():
        return Missing(_TITLE, "No optimizer step was seen.")
    data = _data(run, run.pulse[index], findings)
    if not np.isfinite(data.loss).any() and not data.bad:
        return Missing(_TITLE, "The loss was not seen at any step.")
    return Picture("loss", _TITLE, _caption(run, data, index), both(lambda n, w: _svg(data, n, w), "loss"), _keys(data))


def _data(run: Run, pulse: Pulse, findings: Outline) -> _Data:
    finite = np.where(np.isfinite(pulse.loss), pulse.loss, np.nan)
    positive = finite[np.isfinite(finite)]
    log = bool(len(positive) and positive.min() > 0 and np.log10(positive.max() / positive.min()) > 1.5)
    marks = [(float(e.finding.step), e.number) for e in findings if e.finding.step is not None]
    pooled = pooled_constant(p for p in run.probes if run.pulse.get(p.optimizer) is pulse)
    constant = math.nan if pooled is None or (log and pooled <= 0) else pooled
    return _Data(pulse.step, finite, pulse.lr, _bad(run, pulse, findings), constant, tuple(sorted(marks)), log)


def _bad(run: Run, pulse: Pulse, findings: Outline) -> tuple[tuple[float, float], ...]:
    """A missing loss reads as NaN too, so NaN counts only from where something says that a value was not finite."""
    known = [float(e["step"]) for e in run.events if e.get("name") == "not_finite" and e.get("step") is not None]
    known += [float(p.step) for p in run.probes if p.m.get("not_finite")]
    known += [float(e.finding.step or 0) for e in findings if e.finding.difficulty == "not-finite"]
    bad = np.isinf(pulse.loss) | (np.isnan(pulse.loss) & (pulse.step >= min(known, default=math.inf)))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(int)))
    return tuple((float(pulse.step[a]), float(pulse.step[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _lr_changes(data: _Data) -> bool:
    seen = data.lr[np.isfinite(data.lr)]
    return bool(len(seen) and seen.max() > seen.min() * (1 + 1e-6))


def _svg(data: _Data, name: str, width: float) -> str:
    strip = 108.0 if _lr_changes(data) else 0.0
    main = 310.0 if width > 600 else 250.0
    svg = Svg(name, width, main + strip)
    seen = np.append(data.loss, data.constant) if math.isfinite(data.constant) else data.loss
    span = Span(*padded(seen, "log" if data.log else "linear"), "log" if data.log else "linear")
    title = "loss, logarithmic scale" if data.log else "loss"
    svg.text(0, 12, title, "start", "title")
    box = Box(0, _FLAGS + 20 if data.marks else 17, width, main)
    names = ("" if strip else "step", "")
    margin = text_width(number(float(np.nanmax(data.lr))), 11) + 8 if strip else 0.0
    plot = draw_axes(svg, box, steps_span(data.steps), span, names, margin=margin)
    _shade_bad(plot, data)
    _curves(plot, data)
    _baseline(plot, data)
    _marks(plot, data)
    if strip:
        _rates(svg, data, Box(0, main + 6, width, main + strip), plot.box.left)
    return svg.render(_TITLE, _description(data))


def _smooth(data: _Data) -> bool:
    return len(data.loss) >= 50


def _curves(plot: Plot, data: _Data) -> None:
    xs, ys = thinned(data.steps, data.loss)
    plot.line(xs.tolist(), ys.tolist(), "raw" if _smooth(data) else "s1")
    plot.dots(xs.tolist(), ys.tolist(), "s1", most=25)
    if _smooth(data):
        values = (
            np.log10(data.loss, where=data.loss > 0, out=np.full_like(data.loss, np.nan)) if data.log else data.loss
        )
        mean = smoothed(values, max(3, len(values) // 40))
        xs, ys = thinned(data.steps, 10.0**mean if data.log else mean)
        plot.line(xs.tolist(), ys.tolist(), "s1")


def _shade_bad(plot: Plot, data: _Data) -> None:
    for first, last in data.bad:
        left, right = plot.x(first), plot.x(last)
        height = plot.box.bottom - plot.box.top
        plot.svg.add("rect", x=left - 1, y=plot.box.top, width=max(right - left, 0) + 2, height=height, class_="bad")


def _baseline(plot: Plot, data: _Data) -> None:
    if math.isfinite(data.constant):
        y = plot.y(data.constant)
        plot.svg.line(plot.box.left, y, plot.box.right, y, "line s2 dashed")


def _marks(plot: Plot, data: _Data) -> None:
    """Marks too close to stand apart share one label, such as ``1, 2``."""
    groups: list[tuple[float, list[int]]] = []
    for step, mark in data.marks:
        plot.svg.line(plot.x(step), _FLAGS + 17, plot.x(step), plot.box.bottom, "mark")
        if groups and plot.x(step) < sum(_flag(plot, *groups[-1])[:2]) + 12:
            groups[-1][1].append(mark)
        else:
            groups.append((plot.x(step), [mark]))
    for group in groups:
        left, width, label = _flag(plot, *group)
        plot.svg.add("rect", x=left, y=_FLAGS, width=width, height=18, rx=9, class_="flag")
        plot.svg.text(left + width / 2, _FLAGS + 13, label, "middle", "flag-text")


def _flag(plot: Plot, x: float, numbers: list[int]) -> tuple[float, float, str]:
    """Left edge, width and label of the flag at ``x``; three numbers or more in a row become a range."""
    first, last = min(numbers), max(numbers)
    row = len(set(numbers)) == last - first + 1 and last - first > 1
    label = f"{first} to {last}" if row else ", ".join(map(str, sorted(numbers)))
    width = max(18.0, text_width(label, 11) + 10)
    return min(max(x - 9, 1.0), plot.svg.width - width - 1), width, label


def _rates(svg: Svg, data: _Data, box: Box, left: float) -> None:
    top, bottom, right = box.top + 24, box.bottom - 36, box.right - 10
    high = float(np.nanmax(np.where(np.isfinite(data.lr), data.lr, np.nan)))
    xs = steps_span(data.steps).scale(left, right)
    plot = Plot(svg, Box(left, top, right, bottom), xs, Span(0.0, high).scale(bottom, top))
    for value in (0.0, high):
        svg.line(left, plot.y(value), right, plot.y(value), "grid")
        svg.text(left - 6, plot.y(value) + 4, number(value), "end", "tick")
    x, y = thinned(data.steps, np.where(np.isfinite(data.lr), data.lr, np.nan))
    plot.line(x.tolist(), y.tolist(), "s3")
    svg.text(0, box.top + 10, "learning rate", "start", "title")
    svg.text((left + right) / 2, box.bottom - 4, "step", "middle", "title")
    draw_x_ticks(svg, xs, bottom, (0.0, box.right))


def _keys(data: _Data) -> tuple[Key, ...]:
    keys = [Key("s1", "loss, smoothed"), Key("raw", "loss of each step")] if _smooth(data) else [Key("s1", "loss")]
    if math.isfinite(data.constant):
        keys.append(Key("s2 dashed", f"best constant guess, {data.constant:.4g}"))
    if _lr_changes(data):
        keys.append(Key("s3", "learning rate"))
    if data.bad:
        keys.append(Key("bad", "loss is NaN or infinite"))
    return tuple(keys)


def _description(data: _Data) -> str:
    seen = np.flatnonzero(np.isfinite(data.loss))
    if not len(seen):
        return "The loss is not finite at any step."
    first, last = seen[0], seen[-1]
    ends = f"{number(data.loss[first])} at step {count(int(data.steps[first]))} to {number(data.loss[last])}"
    lowest = number(float(np.nanmin(data.loss)))
    text = f"The loss goes from {ends} at step {count(int(data.steps[last]))}; its lowest is {lowest}."
    return text + (f" It is NaN or infinite from step {count(int(data.bad[0][0]))}." if data.bad else "")


def _caption(run: Run, data: _Data, index: int) -> str:
    text = _description(data)
    if data.marks:
        text += " The numbered flags stand where the findings above were first seen."
    if len(run.pulse) > 1:
        text += f" The run has {len(run.pulse)} optimizers; this is the loss of optimizer {index}."
    return text
