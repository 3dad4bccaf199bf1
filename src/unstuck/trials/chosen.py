"""The metric that a user asks for with ``--metric``, found among those that the watched run has printed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unstuck.errors import UsageError
from unstuck.trials.curve import Curve, read_curve
from unstuck.trials.metric import Metric, metric_of
from unstuck.trials.metrics import higher_is_better, same_name
from unstuck.trials.smoothing import smooth, window_of

_WAYS = {"higher": True, "lower": False}
#: Values that a run has to print: of fewer there is no way to tell where it goes.
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user has written.

    Attributes:
        name: The metric's name.
        higher: Whether it is better when it is higher.
        target: The level that is to be reached, None for that of the program as it is.
    """

    name: str
    higher: bool
    target: float | None = None


def asked(name: str, target: float | str | None = None) -> Asked:
    """Return what is asked for, before anything is run.

    Args:
        name: The metric's name, as it is printed; ``temperature:lower`` where the name does not tell what is better.
        target: The level that is to be reached: 0.96, or ``96%``.

    Raises:
        UsageError: The direction is not known, or the target is no number.
    """
    plain, _, way = name.partition(":")
    if way and way.strip() not in _WAYS:
        raise UsageError(f"after the colon of --metric stands higher or lower, such as {plain}:lower; got {name!r}")
    higher = _WAYS[way.strip()] if way else higher_is_better(plain)
    if not same_name(plain):
        raise UsageError(f"--metric is the name of what the program prints, such as 'val accuracy'; got {name!r}")
    if higher is None:
        raise UsageError(
            f"the name {plain!r} does not tell whether it is better when it is higher or lower; "
            f'write --metric "{plain}:higher" or --metric "{plain}:lower"'
        )
    return Asked(plain.strip(), higher, None if target is None else _number(target))


def chosen(asked: Asked, folder: Path) -> Metric:
    """Return the metric that is asked for, with the target that is.

    Args:
        asked: What the user has written.
        folder: The watched run.

    Raises:
        UsageError: It did not print the metric, or too seldom, or the target is out of reach or reached at once.
    """
    curve = read_curve(folder)
    name = _found(asked.name, curve)
    steps, values = curve.metrics[name]
    metric = metric_of(name, values[steps >= 1], asked.higher)
    assert metric is not None
    at = curve.of(metric)[0]
    if len(at) < _ENOUGH:
        raise UsageError(
            f"{name!r} was printed after {len(at)} of the run's steps, which is too seldom to race by; at least "
            f"{_ENOUGH} values are needed: let the program run longer, or print it more often"
        )
    if asked.target is not None:
        _check_target(asked.target, curve, metric)
    return replace(metric, every=float(np.median(np.diff(at))), target=asked.target)


def _number(target: float | str) -> float:
    text = str(target).strip()
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"--target is a number, such as 0.96 or 96%; got {text!r}")
    return value


def _found(name: str, curve: Curve) -> str:
    """Return the name of the series that is meant."""
    wanted = same_name(name)
    found = next((printed for printed in curve.metrics if same_name(printed) == wanted), None)
    if found is not None:
        return found
    printed = [f"{name!r}" for name, (steps, _) in curve.metrics.items() if (steps >= 1).any()]
    names = f"it printed {', '.join(sorted(printed))}" if printed else "no metric was seen in its lines"
    raise UsageError(f"the watched run did not print {name!r} in a line that 'unstuck fix' has noted; {names}")


def _check_target(target: float, curve: Curve, metric: Metric) -> None:
    if metric.whole is not None and not 0 <= target <= metric.whole:
        raise UsageError(
            f"--target for {metric.name!r} lies between 0 and {metric.whole:g}, as the program's values do; "
            f"got {target:g}"
        )
    first = smooth(curve, window_of(curve, metric), metric).values[0]
    if first <= metric.cost(np.asarray(target)):
        raise UsageError(
            f"the program is at {metric.name} {metric.shown(first):.4g} where it first prints it, so how soon it is at "
            f"{target:g} is not known; give a --target that it reaches later"
        )
