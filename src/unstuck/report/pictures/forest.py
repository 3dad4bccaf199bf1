"""A forest plot of the trials: each confirmed arm's speed-up with its interval, beside the line of no effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.record import Run
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Missing, Picture, Table, both
from unstuck.report.pictures.plot import draw_x_ticks
from unstuck.report.pictures.scale import Scale
from unstuck.report.pictures.svg import Svg
from unstuck.report.trials import TrialArm, trials_of
from unstuck.report.words import number
from unstuck.trials.statistics import Interval

_TITLE = "How many times sooner the same level is reached"
_ROW, _TOP, _FOOT = 40.0, 8.0, 40.0
#: The axis reaches no further: an interval of three pairs may be of any width.
_WIDEST = 1000.0


@dataclass(frozen=True)
class _Line:
    label: str
    interval: Interval
    proven: bool


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the speed-ups of the arms that were confirmed on fresh seeds."""
    trials = trials_of(run)
    lines = [line for arm in (trials.arms if trials else ()) if (line := _line(arm)) is not None]
    if not lines:
        return Missing(_TITLE, "No arm came as far as a confirmation on fresh seeds.")
    caption = (
        "A dot is the mean over the seeds, a bar its 95 % interval. Left of 1 an arm is slower than the program as it "
        "is; it is proven where the whole bar lies right of 1.1, or of 1.5 where no finding asks for it."
    )
    head = ("arm", "times sooner", "from", "to", "seeds")
    rows = tuple((line.label, *_numbers(line.interval)) for line in lines)
    drawings = both(lambda name, width: _svg(lines, name, width), "forest")
    return Picture("forest", _TITLE, caption, drawings, table=Table("Speed-ups of the confirmed arms", head, rows))


def _numbers(interval: Interval) -> tuple[str, ...]:
    return (*(number(v) for v in (interval.estimate, interval.low, interval.high)), str(interval.pairs))


def _line(arm: TrialArm) -> _Line | None:
    interval = arm.speedup
    if interval is None or not interval.estimate > 0 or not math.isfinite(interval.estimate):
        return None
    return _Line(arm.label, interval, arm.status == "proven")


def _svg(lines: list[_Line], name: str, width: float) -> str:
    height = _TOP + _ROW * len(lines) + _FOOT
    svg = Svg(name, width, height)
    known = [v for line in lines for v in (line.interval.low, line.interval.high, line.interval.estimate)]
    inside = [min(max(v, 1 / _WIDEST), _WIDEST) for v in known if not math.isnan(v)]
    scale = Scale(min(*inside, 0.8) / 1.1, max(*inside, 1.25) * 1.1, 8.0, width - 8.0, "log")
    bottom = height - _FOOT
    draw_x_ticks(svg, scale, bottom, (0.0, width))
    svg.text(width / 2, height - 4, "times sooner", "middle", "title")
    for index, line in enumerate(lines):
        y = _TOP + _ROW * index + 28
        class_ = "s2" if line.proven else "s1"
        svg.text(8, y - 12, line.label, "start", "tick")
        svg.line(scale(1.0), y - 7, scale(1.0), y + 7, "taken")
        if not math.isnan(line.interval.low):
            svg.line(scale(line.interval.low), y, scale(line.interval.high), y, f"line {class_}")
        svg.add("circle", cx=scale(line.interval.estimate), cy=y, r=4.5, class_=f"dot {class_}")
    said = (f"{line.label}: {number(line.interval.estimate)} times" for line in lines)
    return svg.render(_TITLE, "; ".join(said))
