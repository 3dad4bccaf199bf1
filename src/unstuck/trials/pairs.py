"""Several causes treated at once: where each of two causes holds a run down, treating one of them shows nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from unstuck.trials.arm import Arm
from unstuck.trials.rates import joined
from unstuck.trials.table import Row

#: Causes that are treated in pairs; remedies of each that are paired; pairs in all.
_MOST_CAUSES, _MOST_EACH, _MOST = 3, 3, 9
#: A gain that tells a remedy from one that does nothing.
_CLEAR = 0.05


def pairs(rows: Sequence[Row], causes: Sequence[str]) -> list[Row]:
    """Return arms that treat two causes at once, after each remedy was tried alone.

    The best remedy of each cause is joined with the best few of the other: all with all would be too many. A remedy
    that gained nothing alone is paired all the same, in the order in which it was proposed; one that found nothing to
    change, or lost the run, is not.

    Args:
        rows: The arms that were tried alone.
        causes: Difficulties that are causes, the most important first.
    """
    found: dict[tuple[object, ...], Row] = {}
    for one, other in combinations(causes[:_MOST_CAUSES], 2):
        for arm in _joined(_best(rows, one), _best(rows, other)):
            found.setdefault(arm.remedies, Row(arm, combination=True))
    return list(found.values())[:_MOST]


def _best(rows: Sequence[Row], cause: str) -> list[Arm]:
    tried = [row for row in rows if row.arm.difficulty == cause and row.status != "failed" and row.gains]
    ranked = sorted(tried, key=lambda row: -row.gain if row.gain > _CLEAR else 0.0)  # equal ones as proposed
    return [row.arm for row in ranked[:_MOST_EACH]]


def _joined(firsts: Sequence[Arm], seconds: Sequence[Arm]) -> Iterator[Arm]:
    asked = [(first, second) for first in firsts[:1] for second in seconds]
    asked += [(first, second) for first in firsts[1:] for second in seconds[:1]]
    for first, second in asked:
        arm = joined(first, second)
        if arm is not None:
            yield arm
