"""How soon an arm of a trial is at a level of a metric that it was not raced by, read from the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unstuck.trials.statistics import Interval


@dataclass(frozen=True, slots=True)
class Sooner:
    """How soon an arm is at a level of a metric that it was not raced by.

    Attributes:
        target: The level, as the program prints it.
        stuck: Whether the program as it is does not reach it.
        steps: How many times fewer steps it takes to it; None where that is not known.
        seconds: How many times sooner it is there.
        final: Its level at the end minus the baseline's.
    """

    target: float
    stuck: bool
    steps: Interval | None
    seconds: Interval | None
    final: Interval | None


def sooner_of(values: Mapping[str, Any]) -> Sooner:
    """Return what the table says of one metric."""
    parts = (interval_of(values[name]) for name in ("speedup_steps", "speedup_seconds", "final"))
    return Sooner(float(values["target"]), bool(values["stuck"]), *parts)


def interval_of(values: Mapping[str, Any] | None) -> Interval | None:
    """Return an interval of the table, None where there is none."""
    return Interval(**values) if values else None
