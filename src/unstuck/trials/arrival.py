"""When a baseline and an arm are at the target, where all that is known is what was noted or printed."""

from __future__ import annotations

import numpy as np

from unstuck.trials.curve import Curve
from unstuck.trials.metric import Metric
from unstuck.trials.objective import TICK, Objective, objective_of, time_to
from unstuck.trials.smoothing import smooth

#: Steps and seconds of a baseline whose first printed value is at the target.
_AT_ONCE = (1.0, TICK, False)


def baseline_time(curve: Curve, objective: Objective) -> tuple[float, float, bool]:
    """Return a baseline's steps and seconds to the target, and whether it never got there.

    Then they are its length: it takes at least that. A metric is known only where it was printed: its baseline takes
    at least until the last value before the one that is at the target, and an arm at most until the one that is.
    """
    smoothed = smooth(curve, objective.window, objective.measure)
    there = np.flatnonzero(smoothed.values <= objective.target)
    if len(there):
        row = int(there[0]) - isinstance(objective.measure, Metric)
        return (float(smoothed.steps[row]), max(float(smoothed.seconds[row]), TICK), False) if row >= 0 else _AT_ONCE
    if not len(curve):
        return 0.0, 0.0, True
    if isinstance(objective.measure, Metric) and len(smoothed.values):
        return float(smoothed.steps[-1]), max(float(smoothed.seconds[-1]), TICK), True
    return float(curve.steps[-1]), max(float(curve.seconds[-1]), TICK), True


def at_first_value(curve: Curve, objective: Objective) -> bool:
    """Whether the first printed value of a metric is at the target: since when is not known then."""
    if not isinstance(objective.measure, Metric):
        return False
    values = smooth(curve, objective.window, objective.measure).values
    return len(values) > 0 and bool(values[0] <= objective.target)


def time_share(baseline: Curve, arm: Curve, metric: Metric, by_time: bool = False) -> float:
    """Return an arm's time to the target of a metric, as a share of the baseline's length; infinite if not reached.

    Args:
        baseline: The program as it is, on the same seed.
        arm: The treated program.
        metric: What is compared; without a target no arm is there.
        by_time: Whether seconds are compared instead of steps.
    """
    objective = objective_of([baseline], metric)
    if objective is None or metric.target is None or not len(baseline):
        return np.inf
    steps, seconds = time_to(arm, objective.target, objective.window, metric)
    return seconds / max(float(baseline.seconds[-1]), TICK) if by_time else steps / float(baseline.steps[-1])
