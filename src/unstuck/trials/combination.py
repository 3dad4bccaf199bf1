"""The third stage of a race: the best arm together with each of the next ones."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from unstuck.trials.arm import BASELINE
from unstuck.trials.objective import gain, objective_of, time_to
from unstuck.trials.rates import joined
from unstuck.trials.screening import compete, room
from unstuck.trials.table import Row

if TYPE_CHECKING:
    from unstuck.trials.plan import Measured, Plan
    from unstuck.trials.spec import Trial

_ROUNDS = 2
#: A second remedy has to pay: a gain larger by this share of the baseline's level, or the target this much sooner.
_GAIN, _SOONER = 0.05, 1.25


def combine(plan: Plan, ranked: Sequence[Row]) -> Generator[list[Trial], Sequence[Measured], list[Row]]:
    """Build on the best arm, one remedy after the other, as long as each is clearly better.

    Args:
        plan: The race.
        ranked: The arms that passed the screening, the best first; at least one.

    Yields:
        Trials to be run.

    Returns:
        The arms that may be confirmed, the best first.
    """
    plan.stage = "combination"
    steps = plan.settings.screening[1]
    best, kept, others = ranked[0], list(ranked), list(ranked[1:])
    for _ in range(_ROUNDS):
        tried = [set(row.arm.remedies) for row in plan.table.rows]
        both = [(other, joined(best.arm, other.arm)) for other in others]
        pairs = [(other, arm) for other, arm in both if arm is not None and set(arm.remedies) not in tried]
        rows = [Row(arm, combination=True) for _, arm in pairs[: room(plan, steps)]]
        if not rows:
            break
        plan.table.rows.extend(rows)
        ranked = yield from compete(plan, rows, steps)
        for row in ranked:
            if not clearly_better(plan, row, best):
                row.fail("dropped", f"not clearly better than {best.arm.label} alone after {steps} steps")
        better = [row for row in ranked if row.status == "pending"]
        if not better:
            break
        best = better[0]
        for row in better[1:]:
            row.fail("dropped", f"others were better after {steps} steps")
        kept.insert(0, best)
        others = [other for other, arm in pairs if arm != best.arm]
    return kept


def clearly_better(plan: Plan, row: Row, best: Row) -> bool:
    """Return whether an arm made of another one is worth its further change: lower at the end, or as low and sooner.

    Args:
        plan: The race, which has measured both.
        row: The arm.
        best: The one that it was made of.
    """
    names = (BASELINE.name, row.arm.name, best.arm.name)
    baseline, treated, before = (plan.latest[name, plan.settings.screening_seed].curve for name in names)
    own = gain(baseline, before, row.measure, row.arm.changes_step)
    if row.gain > own + _GAIN:
        return True
    objective = objective_of([baseline], row.measure, plan.settings.plateau)
    if objective is None or row.gain < own - _GAIN:
        return False
    reached = [time_to(curve, objective.target, objective.window, row.measure) for curve in (treated, before)]
    new, old = (seconds if row.arm.changes_step else steps for steps, seconds in reached)
    return new * _SOONER < old
