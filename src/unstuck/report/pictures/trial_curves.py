"""The best arm of the trials beside the program as it is: medians over the seeds, with bands from least to most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unstuck.record import Run
from unstuck.report.effects import effect
from unstuck.report.outline import Outline
from unstuck.report.pictures.picture import Key, Missing, Picture, both
from unstuck.report.pictures.plot import Box, Plot, Span, draw_axes, padded, steps_span
from unstuck.report.pictures.scale import Kind
from unstuck.report.pictures.series import Floats
from unstuck.report.pictures.svg import Svg
from unstuck.report.trials import TrialArm, trials_of
from unstuck.report.words import plural
from unstuck.trials.curve import read_curve
from unstuck.trials.metric import Measure, shown
from unstuck.trials.smoothing import smooth, window_of
from unstuck.trials.spec import read_spec

_TITLE = "The best arm beside the program as it is"
#: Points along a curve: more could not be told apart.
_POINTS = 240


@dataclass(frozen=True)
class _Band:
    steps: Floats
    least: Floats
    middle: Floats
    most: Floats


def draw(run: Run, findings: Outline) -> Picture | Missing:
    """Return the curves of the arm that came furthest and of the baseline on the same seeds."""
    trials = trials_of(run)
    arm = next(iter(trials.arms), None) if trials is not None else None
    if arm is None or not arm.trials:
        return Missing(_TITLE, "No arm was measured.")
    measure: Measure = (trials and trials.metric) or ("error" if arm.measure == "error" else "loss")
    found = _bands(run.path / "trials", arm, measure)
    if found is None:
        return Missing(_TITLE, "The trials of the best arm have left no curve.")
    base, treated, seeds = found
    caption = (
        f"{arm.label[:1].upper()}{arm.label[1:]}: it {effect(arm)}. Lines are medians over {plural(seeds, 'seed')}, "
        f"bands go from the least to the most; each {measure} is a running median."
    )
    keys = (Key("s1", "as it is"), Key("s2", "treated"))
    drawings = both(lambda name, width: _svg(base, treated, str(measure), name, width), "trial-curves")
    return Picture("trial-curves", _TITLE, caption, drawings, keys)


def _bands(folder: Path, arm: TrialArm, measure: Measure) -> tuple[_Band, _Band, int] | None:
    """Return the bands of the baseline and of an arm over the seeds of its last stage."""
    specs = {name: read_spec(folder / name) for name in arm.trials if (folder / name / "spec.json").is_file()}
    own = [spec for spec in specs.values() if spec.arm == arm.name]
    if not own:
        return None
    # The last stage has the most seeds; among equals it is the longest one.
    lengths = {spec.steps for spec in own}
    steps = max(lengths, key=lambda n: (sum(spec.steps == n for spec in own), n or 0))
    seeds = {spec.seed for spec in own if spec.steps == steps}
    treated = [read_curve(folder / n) for n, s in specs.items() if s.arm == arm.name and s.steps == steps]
    base = [read_curve(folder / n) for n, s in specs.items() if s.arm == "baseline" and s.seed in seeds]
    base, treated = ([curve for curve in curves if len(curve.of(measure)[0])] for curves in (base, treated))
    if not base or not treated:
        return None
    window = min(window_of(curve, measure) for curve in base)
    pairs = [[smooth(curve, window, measure) for curve in curves] for curves in (base, treated)]
    if not all(len(smoothed.values) for smoothed_ones in pairs for smoothed in smoothed_ones):
        return None
    first, second = (_band([(s.steps, _shown(measure, s.values)) for s in smoothed]) for smoothed in pairs)
    return first, second, len(seeds)


def _shown(measure: Measure, values: Floats) -> Floats:
    """Return values as the program prints them."""
    return np.array([shown(measure, value) for value in values])


def _band(curves: list[tuple[Floats, Floats]]) -> _Band:
    low = max(float(steps[0]) for steps, _ in curves)
    high = min(float(steps[-1]) for steps, _ in curves)
    grid = np.linspace(low, max(high, low), _POINTS)
    rows = np.array([np.interp(grid, steps, np.where(np.isfinite(values), values, np.nan)) for steps, values in curves])
    known = np.isfinite(rows).all(0)
    rows = np.where(known, rows, 0.0)
    columns = (rows.min(0), np.median(rows, axis=0), rows.max(0))
    return _Band(grid, *(np.where(known, column, np.nan) for column in columns))


def _svg(base: _Band, treated: _Band, measure: str, name: str, width: float) -> str:
    height = 310.0 if width > 600 else 250.0
    svg = Svg(name, width, height)
    seen = np.concatenate([base.least, base.most, treated.least, treated.most])
    positive = seen[np.isfinite(seen)]
    log = bool(len(positive) and positive.min() > 0 and np.log10(positive.max() / positive.min()) > 1.5)
    kind: Kind = "log" if log else "linear"
    title = f"{measure}, logarithmic scale" if log else measure
    svg.text(0, 12, title, "start", "title")
    span = steps_span(np.concatenate([base.steps, treated.steps]))
    plot = draw_axes(svg, Box(0, 17, width, height), span, Span(*padded(seen, kind), kind), ("step", ""))
    for band, class_ in ((base, "s1"), (treated, "s2")):
        _draw(svg, plot, band, class_)
    return svg.render(_TITLE, "The treated program's curve beside that of the program as it is.")


def _draw(svg: Svg, plot: Plot, band: _Band, class_: str) -> None:
    upper = [point for point in plot.points(band.steps.tolist(), band.most.tolist()) if point]
    lower = [point for point in plot.points(band.steps.tolist(), band.least.tolist()) if point]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)])
    if upper and lower:
        svg.add("polygon", points=corners, class_=f"band {class_}")
    plot.line(band.steps.tolist(), band.middle.tolist(), class_)
