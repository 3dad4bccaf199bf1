"""What arms are compared by: a level that the baseline reaches late or never, and the time until a curve is there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unstuck.trials.curve import Curve
from unstuck.trials.metric import Measure, Metric, shown
from unstuck.trials.smoothing import Smooth, noise_of, smooth, window_of

#: A baseline has got somewhere if it came this many times its noise, and this share of its start.
_WAY_NOISE, _WAY_SHARE = 4.0, 0.05
#: The target of a baseline that got somewhere: all of its way but this share.
_REST = 0.05
#: The target of one that did not: this many times its noise, and this share of its level, below what it reached; but
#: no more than this share of it, since a run that leaps about has more noise than there is room above zero.
_BELOW_NOISE, _BELOW_SHARE, _BELOW_MOST = 3.0, 0.1, 0.5
#: A baseline above this many times its first value is lost: how far up it is says nothing of an arm.
_ASTRAY = 2.0
#: What the noise of a baseline may ask of a gain at most: one that leaps about has no measure in it.
_MOST_NOISE = 0.5
#: A gain below this share is none, however little noise there is.
_LEAST_GAIN = 0.002
#: One that ends above this many times its first value has exploded.
_EXPLODED = 100.0
#: No time is shorter: what a clock cannot tell from nothing.
TICK = 1e-6


@dataclass(frozen=True, slots=True)
class Objective:
    """The level to be reached. All levels are better when lower; :meth:`shown` gives those of a metric as printed.

    Attributes:
        measure: What is compared.
        window: Rows in the windows of the running medians.
        start: Median of the baselines' first smoothed levels.
        end: Median of their last.
        noise: Noise of their smoothed curves.
        target: The level to be reached.
        stuck: Whether the baselines got nowhere: then the target lies beyond what they reach, their time is no shorter
            than their length, and a speed-up is a lower bound.
    """

    measure: Measure
    window: int
    start: float
    end: float
    noise: float
    target: float
    stuck: bool

    def shown(self, level: float) -> float:
        """Return a level as a person knows it."""
        return shown(self.measure, level)

    def to_json(self) -> dict[str, Any]:
        """Return the objective as JSON, its levels as a person knows them."""
        levels = {name: self.shown(getattr(self, name)) for name in ("start", "end", "target")}
        return {
            "measure": str(self.measure),
            "window": self.window,
            **levels,
            "noise": self.noise,
            "stuck": self.stuck,
        }


def objective_of(
    baselines: Sequence[Curve], measure: Measure = "loss", plateau: float | None = None, *, beyond: bool = False
) -> Objective | None:
    """Return what arms are compared by, None where the baselines have noted nothing that could be compared.

    Losses that take negative values have no natural zero: of them only differences are used. A metric that has a
    target is held to that.

    Args:
        baselines: Trials of the program as it is, on different seeds.
        measure: What is compared.
        plateau: Loss at which the watched run is stuck, None where it learned: a baseline that ends there has got
            nowhere, however far it fell to it.
        beyond: Whether the level has to lie beyond what the baselines reach, though they got somewhere.
    """
    usable = [curve for curve in baselines if len(curve.of(measure)[0])]
    if not usable:
        return None
    window = min(window_of(curve, measure) for curve in usable)
    smoothed = [smooth(curve, window, measure) for curve in usable]
    start = float(np.median([s.values[0] for s in smoothed]))
    end = float(np.median([s.values[-1] for s in smoothed]))
    lowest = float(np.median([s.values.min() for s in smoothed]))
    noise = float(np.median([noise_of(s) for s in smoothed]))
    signed = any(bool((curve.of(measure)[2] < 0).any()) for curve in usable)
    if isinstance(measure, Metric) and measure.target is not None:
        target = float(measure.cost(np.asarray(measure.target)))
        there = any(bool((s.values <= target).any()) for s in smoothed)
        return Objective(measure, window, start, end, noise, target, stuck=not there)
    way = start - end if np.isfinite(end) else -np.inf
    caught = plateau is not None and measure == "loss" and not end < (1 - _WAY_SHARE) * plateau
    if not (caught or beyond) and way > _WAY_NOISE * noise and (signed or way > _WAY_SHARE * abs(start)):
        return Objective(measure, window, start, end, noise, end + _REST * way, stuck=False)
    reached = min(lowest, start)  # the lowest, not the last: a baseline that got worse is not to be beaten by waiting
    first = float(np.median([curve.of(measure)[2][0] for curve in usable]))
    if not end <= _EXPLODED * abs(first):  # its first window may be far up already
        reached = min(reached, first)
    below = max(_BELOW_NOISE * noise, _BELOW_SHARE * abs(start - reached if signed else reached))
    if not signed:
        below = min(below, _BELOW_MOST * reached)
    target = reached - below if np.isfinite(reached) else sys.float_info.max
    if signed and target == reached:
        target = float(np.nextafter(reached, -np.inf))
    return Objective(measure, window, start, end, noise, target, stuck=True)


def time_to(curve: Curve, target: float, window: int, measure: Measure = "loss") -> tuple[float, float]:
    """Return the steps and the seconds after which a curve's running median is at a target.

    Args:
        curve: The curve.
        target: The level.
        window: Rows in a window.
        measure: Which of the curve's columns.

    Returns:
        Steps and seconds, both infinite where the curve does not get there.
    """
    smoothed = smooth(curve, window, measure)
    there = np.flatnonzero(smoothed.values <= target)
    if not len(there):
        return np.inf, np.inf
    return float(smoothed.steps[there[0]]), max(float(smoothed.seconds[there[0]]), TICK)


def final_levels(baseline: Curve, arm: Curve, objective: Objective, by_time: bool = False) -> tuple[float, float]:
    """Return the smoothed levels of a baseline and an arm at the end of the shorter one, infinite where one is lost.

    Args:
        baseline: The program as it is, on the same seed.
        arm: The treated program.
        objective: What they are compared by.
        by_time: Whether both get the same time instead of the same steps.
    """
    base, treated = (smooth(curve, objective.window, objective.measure) for curve in (baseline, arm))
    if not len(base.values) or not len(treated.values):
        return base.until(), treated.until()
    limits = _shared(base, treated, by_time)
    return base.until(**limits), treated.until(**limits)


def gain(baseline: Curve, arm: Curve, measure: Measure, by_time: bool = False) -> float:
    """Return how far below the baseline's an arm's smoothed level is, as a share of the baseline's.

    The two are compared at the end of the shorter one, so that both have had the same steps, or the same time.

    Args:
        baseline: The program as it is, on the same seed.
        arm: The treated program.
        measure: What is compared.
        by_time: Whether both get the same time instead of the same steps, since a step is not the same in both.

    Returns:
        1 where nothing is left of the measure, 0 where it is the same, minus infinity where the arm is lost. A baseline
        that is lost or far above its first value counts as being at twice that.
    """
    objective = objective_of([baseline], measure)
    if objective is None:
        return -np.inf
    level, reached = final_levels(baseline, arm, objective, by_time)
    if not np.isfinite(reached):
        return -np.inf
    values = baseline.of(measure)[2]
    first, signed = objective.start, bool((values < 0).any())
    if not signed and np.isfinite(values[0]) and values[0] > 0:
        level = min(level, _ASTRAY * float(values[0]))  # however far up it is: an arm has to be lower than it began
    if not np.isfinite(level):  # the baseline is lost: any arm that is not is better, the lower the better
        return float(0.5 - np.arctan(reached / (abs(first) if np.isfinite(first) and first else 1.0)) / np.pi)
    scale = max(abs(first - level), objective.noise) if signed else abs(level)
    return (level - reached) / scale if scale else level - reached


def least_gain(baseline: Curve, measure: Measure) -> float:
    """Return what a :func:`gain` has to be above to be more than the noise of two curves.

    Args:
        baseline: The program as it is.
        measure: What is compared.
    """
    objective = objective_of([baseline], measure)
    if objective is None:
        return 0.0
    size = abs(objective.end)
    noise = 2 * objective.noise / size if np.isfinite(size) and size > 0 else 0.0
    return max(min(noise, _MOST_NOISE), _LEAST_GAIN)


def _shared(one: Smooth, other: Smooth, by_time: bool) -> dict[str, float]:
    """Return the steps, or the seconds, that both curves have; where they do not meet, the gap counts for nobody."""
    name = "seconds" if by_time else "steps"
    columns = [getattr(one, name), getattr(other, name)]
    ends, starts = [float(c[-1]) for c in columns], [float(c[0]) for c in columns]
    return {name: max(min(ends), *starts)}
