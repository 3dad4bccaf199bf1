"""What a confirmed arm does to the metrics that the program prints, beside what it was raced by.

An arm can be sooner by the training loss and end with a worse accuracy on what it was not trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.trials.arm import Arm
from unstuck.trials.arrival import at_first_value, baseline_time
from unstuck.trials.curve import Curve
from unstuck.trials.metric import Measure, Metric, metric_of
from unstuck.trials.metrics import is_loss, set_of
from unstuck.trials.objective import final_levels, objective_of, time_to
from unstuck.trials.statistics import Interval, difference, speedup

#: Printed values that a trial has at least.
_ENOUGH = 3
_HELD_OUT = ("val", "test", "eval")

Curves = Sequence[tuple[Curve, Curve]]


@dataclass(frozen=True, slots=True)
class Beside:
    """One metric of a confirmed arm beside the baseline's on the same seeds.

    Attributes:
        target: The level that is reached: where the baseline has gone 95 % of its way.
        stuck: Whether that lies beyond what the baseline reaches.
        speedup_steps: How many times fewer steps it takes to the target; None where steps mean something else, or where
            the first printed value is there already.
        speedup_seconds: How many times sooner it is at the target.
        final: Its level at the end minus the baseline's.
        noise: Noise of the baselines' smoothed values.
        worse: Whether it ends worse than the baseline, by more than that.
    """

    target: float
    stuck: bool
    speedup_steps: Interval | None
    speedup_seconds: Interval | None
    final: Interval
    noise: float
    worse: bool


def beside(pairs: Curves, arm: Arm, raced: Measure) -> dict[str, Beside]:
    """Return what an arm does to the metrics of data that was held out; where there are none, to any but losses.

    Args:
        pairs: Curves of baseline and arm on the same seeds.
        arm: The arm.
        raced: What it was raced by.
    """
    known = [metric for metric in _printed(pairs) if str(metric) != str(raced) or not isinstance(raced, Metric)]
    if arm.changes_loss:
        known = [metric for metric in known if not is_loss(metric.name)]
    held_out = [metric for metric in known if set_of(metric.name) in _HELD_OUT]
    chosen = held_out or [metric for metric in known if not is_loss(metric.name)]
    found = ((metric.name, _beside(pairs, metric, arm.changes_step)) for metric in chosen)
    return {name: what for name, what in found if what is not None}


def ends_worse(found: Mapping[str, Beside]) -> str:
    """Return how the metrics end worse, ``val accuracy ends 0.05 lower (0.03 to 0.07)``; empty where none does.

    Args:
        found: What :func:`beside` has returned. Metrics of the training data do not count.
    """
    worse = {name: what.final for name, what in found.items() if what.worse and set_of(name) != "train"}
    parts = []
    for name, change in worse.items():
        low, high = sorted((abs(change.low), abs(change.high)))
        way = "lower" if change.estimate < 0 else "higher"
        parts.append(f"{name} ends {abs(change.estimate):.2g} {way} ({low:.2g} to {high:.2g})")
    return " and ".join(parts)


def last_values(pairs: Curves) -> dict[str, Interval]:
    """Return the differences of the last values of all that the program prints in all of the trials."""

    def last(arm: int, name: str) -> list[float]:
        return [float(pair[arm].metrics[name][1][-1]) for pair in pairs]

    return {name: difference(last(0, name), last(1, name)) for name in _names(pairs, 1)}


def _names(pairs: Curves, least: int) -> list[str]:
    """Return what was printed so many times in all trials."""
    curves = [curve for pair in pairs for curve in pair]
    return [name for name in curves[0].metrics if all(len(c.metrics.get(name, ((), ()))[1]) >= least for c in curves)]


def _printed(pairs: Curves) -> Iterable[Metric]:
    """Return the metrics with enough values whose names tell what is better."""
    for name in _names(pairs, _ENOUGH):
        metric = metric_of(name, np.concatenate([base.metrics[name][1] for base, _ in pairs]))
        if metric is not None and all(len(curve.of(metric)[0]) >= _ENOUGH for pair in pairs for curve in pair):
            yield metric


def _beside(pairs: Curves, metric: Metric, by_time: bool) -> Beside | None:
    objective = objective_of([base for base, _ in pairs], metric)
    if objective is None:
        return None
    steps = seconds = None
    if not any(at_first_value(base, objective) for base, _ in pairs):
        bases = [baseline_time(base, objective) for base, _ in pairs]
        arms = [time_to(arm, objective.target, objective.window, metric) for _, arm in pairs]
        bound = any(base[2] for base in bases) or any(at_first_value(arm, objective) for _, arm in pairs)
        steps = None if by_time else speedup([base[0] for base in bases], [arm[0] for arm in arms], bound)
        seconds = speedup([base[1] for base in bases], [arm[1] for arm in arms], bound)
    levels = [final_levels(base, arm, objective, by_time) for base, arm in pairs]
    final = difference(*([metric.shown(level[i]) for level in levels] for i in (0, 1)))
    excluded = final.high < 0 if metric.higher else final.low > 0
    worse = excluded and abs(final.estimate) > objective.noise
    target = objective.shown(objective.target)
    return Beside(target, objective.stuck, steps, seconds, final, objective.noise, worse)
