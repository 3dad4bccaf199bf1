"""What arms of trials do, in words."""

from __future__ import annotations

from unstuck.report.trials import TrialArm, Trials
from unstuck.trials.statistics import Interval


def effect(arm: TrialArm) -> str:
    """Return what an arm does, in a sentence without its end: ``reaches the same loss 6.3 times sooner (...)``."""
    speedup = arm.speedup
    if speedup is None:
        return arm.reason
    level = f"{arm.measure} {arm.target:.4g}" if arm.by_metric and arm.target is not None else ""
    if not speedup.estimate > 0:
        return f"does not reach {level or f'the {arm.measure} of the program as it is'} on every seed"
    times = f"{_times(speedup)} {'in steps' if arm.steps is not None else 'in time'}"
    range_ = f"({_range(speedup)}, {speedup.pairs} fresh seeds)"
    if arm.beyond:
        article = "an" if arm.measure[:1].lower() in tuple("aeio") else "a"
        what = f"{level}," if level else f"{article} {arm.measure}"
        which = (
            "which the program as it is does not reach in its trials"
            if level
            else "that the program as it is does not reach"
        )
        return f"reaches, {times}, {what} {which} {range_}"
    return f"reaches {level or f'the same {arm.measure}'} {times} {range_}"


def beside(arm: TrialArm) -> str:
    """Return how soon an arm is at a level of the metrics of held-out data that it was not raced by, empty if unknown.

    ``val accuracy is at 0.957 3.1 times sooner in steps (95 % interval 2.8 to 3.4)``
    """
    parts = []
    for name, what in arm.beside.items():
        found = what.steps or what.seconds
        if found is not None and found.estimate > 0:
            unit = "in steps" if what.steps is not None else "in time"
            parts.append(f"{name} is at {what.target:.4g} {_times(found)} {unit} ({_range(found)})")
        elif found is not None:
            parts.append(f"{name} is not at {what.target:.4g} on every seed")
    return "; ".join(parts)


def raced_by(trials: Trials) -> str:
    """Return what was raced by where that was a metric: ``by val accuracy, to 0.96``; else empty."""
    metric = trials.metric
    if metric is None:
        return ""
    return f"by {metric.name}{'' if metric.target is None else f', to {metric.target:.4g}'}"


def printed(arm: TrialArm) -> str:
    """Return how an arm changed what the program prints of itself: ``accuracy 0.88 higher, loss 3.1 lower``.

    Only differences whose interval excludes 0 are named; empty where there are none.
    """
    parts = [
        f"{name} {abs(change.estimate):.2g} {'higher' if change.estimate > 0 else 'lower'}"
        for name, change in arm.metrics.items()
        if change.low > 0 or change.high < 0
    ]
    return ", ".join(parts)


def _times(speedup: Interval) -> str:
    return f"{'at least ' if speedup.at_least else ''}{speedup.estimate:.3g} times sooner"


def _range(speedup: Interval) -> str:
    return f"95 % interval {speedup.low:.3g} to {speedup.high:.3g}"
