"""The learning rate of an arm on a ladder of half decades: 0 is the rate that it has by itself, 2 ten times as much."""

from __future__ import annotations

import dataclasses
import math

from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.remedy import Remedy
from unstuck.trials.arm import Arm

#: Half a decade, as people write it.
_HALF = 3.0
#: Learning rate of an exchanged optimizer that counts as rung 0.
_USUAL = 1e-3


def rate_of(arm: Arm) -> int | None:
    """Return the rung of an arm: that of its factor, or of its new optimizer's rate against 0.001.

    Args:
        arm: The arm.

    Returns:
        The nearest rung; None where the arm's rate is not a number to be changed (an optimizer that keeps the
        program's rate beside one that does not).
    """
    exchanged = [remedy for remedy in arm.remedies if isinstance(remedy, Exchange)]
    factors = [remedy.factor for remedy in arm.remedies if isinstance(remedy, LearningRate)]
    if len(exchanged) + len(factors) > 1:
        return None
    if exchanged:
        rate = exchanged[0].lr
        return None if rate is None or not rate > 0 else _rung(rate / _USUAL)
    return _rung(factors[0]) if factors else 0


def joined(one: Arm, other: Arm) -> Arm | None:
    """Return both arms in one; None where both have a remedy of the same kind, or a learning rate each."""
    arm = one.joined(other)
    if arm is None:
        return None
    rates = [remedy for remedy in arm.remedies if isinstance(remedy, (Exchange, LearningRate))]
    return arm if len(rates) < 2 else None


def with_rate(arm: Arm, rung: int) -> Arm:
    """Return an arm with its learning rate at another rung.

    Args:
        arm: An arm of which :func:`rate_of` tells the rung.
        rung: The wanted one; 0 takes a factor away.
    """
    if any(isinstance(remedy, Exchange) for remedy in arm.remedies):
        return dataclasses.replace(arm, remedies=tuple(_exchanged(remedy, rung) for remedy in arm.remedies))
    others = tuple(remedy for remedy in arm.remedies if not isinstance(remedy, LearningRate))
    return dataclasses.replace(arm, remedies=(*others, LearningRate(_factor(rung))) if rung else others)


def _exchanged(remedy: Remedy, rung: int) -> Remedy:
    if not isinstance(remedy, Exchange):
        return remedy
    return dataclasses.replace(remedy, lr=float(f"{_USUAL * _factor(rung):.3g}"))


def _rung(factor: float) -> int:
    return round(2 * math.log10(factor))


def _factor(rung: int) -> float:
    """Return 1, 3, 10, 30 ... for 0, 1, 2, 3 ..., and their inverses below."""
    size = 10.0 ** (abs(rung) // 2) * (_HALF if rung % 2 else 1.0)
    return size if rung >= 0 else 1 / size
