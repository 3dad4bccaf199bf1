"""The first stage of a race: all candidates on one seed, the better half of them once more and longer.

Successive halving: K. Jamieson, A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS 2016.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from unstuck.trials.arm import BASELINE
from unstuck.trials.arrival import time_share
from unstuck.trials.objective import gain, least_gain
from unstuck.trials.pairs import pairs
from unstuck.trials.table import Row

if TYPE_CHECKING:
    from unstuck.trials.plan import Measured, Plan
    from unstuck.trials.spec import Trial

#: Arms that go on to the second round.
_LEAST, _MOST = 2, 6

Screening = Generator["list[Trial]", "Sequence[Measured]", list[Row]]


def screen(plan: Plan) -> Screening:
    """Screen the candidates.

    Args:
        plan: The race.

    Yields:
        Trials to be run.

    Returns:
        The arms that are better than the baseline after both rounds, the best first.
    """
    plan.stage = "screening"
    rows = plan.table.rows
    admitted = _admitted(plan, len(rows))
    for row in rows[admitted:]:
        row.fail("not-tried", "the budget was too small for it")
    rows = rows[:admitted]
    if not rows:
        return []
    first, second = plan.settings.screening
    ranked = yield from _first_round(plan, rows, first)
    kept = _kept(len(ranked))
    going = [row for place, row in enumerate(ranked) if place < _LEAST or (place < kept and row.better)]
    for row in ranked[len(going) :]:
        row.fail("dropped", _why(row, first))
    if not going:
        return []
    ranked = yield from compete(plan, going, second)
    for row in ranked:
        if not row.better:
            row.fail("dropped", _why(row, second))
    return [row for row in ranked if row.better]


def _first_round(plan: Plan, rows: Sequence[Row], steps: int) -> Screening:
    """Measure the candidates, then those that treat two causes at once; the best first.

    The first remedy of each kind goes before the others of its kind: where it finds nothing to change in the program,
    they will not either (if they are alike), and their trials are spared.
    """
    kinds = [tuple(remedy.kind if remedy.alike else remedy.label for remedy in row.arm.remedies) for row in rows]
    first = [row for place, row in enumerate(rows) if kinds[place] not in kinds[:place]]
    ranked = yield from compete(plan, first, steps)
    for row in rows:
        missing = [plan.missing[kind] for kind in (r.kind for r in row.arm.remedies if r.alike) if kind in plan.missing]
        if missing and row.status == "pending":
            row.fail("failed", f"not-applied: {'; '.join(missing)}")
    ranked += yield from compete(plan, [row for row in rows if row not in first and row.status == "pending"], steps)
    if not plan.table.problem:
        second = plan.settings.screening[1]
        longer = 0.0 if steps == second else plan.cost(_MOST + 1, second)
        joined = pairs(rows, plan.settings.causes)[: room(plan, steps, longer)]
        plan.table.rows.extend(joined)
        ranked += yield from compete(plan, joined, steps)
    return sorted(ranked, key=lambda row: _place(plan, row))


def room(plan: Plan, steps: int, besides: float = 0.0) -> int:
    """Return how many more arms the budget has room for, with the shortest confirmation kept free.

    Args:
        plan: The race.
        steps: How long they run.
        besides: Seconds that are kept free for more.
    """
    return max(0, int((plan.budget.left - reserve(plan) - besides) / plan.budget.of(steps)))


def compete(plan: Plan, rows: Sequence[Row], steps: int) -> Screening:
    """Measure arms and the baseline on the screening's seed, and note the gains.

    In a race by a metric, arms that reach its target come first, the sooner the better.

    Args:
        plan: The race.
        rows: The arms.
        steps: How long.

    Yields:
        Trials to be run.

    Returns:
        The arms that were measured, the best first; none where the baseline does not train.
    """
    if not rows:
        return []
    seed = plan.settings.screening_seed
    found = yield from plan.measure(rows, [seed], steps)
    baseline = found[BASELINE.name, seed]
    if not len(baseline.curve):
        plan.table.problem = f"the program does not train in a trial: {baseline.failure}"
        for row in rows:
            row.fail("not-tried", plan.table.problem)
        return []
    measured = []
    for row in rows:
        arm = found[row.arm.name, seed]
        missing = next((m for m in (baseline, arm) if not len(m.curve.of(row.measure)[0])), None)
        if not arm.usable:
            row.fail("failed", arm.failure)
        elif missing is not None:
            whose = "the program" if missing is baseline else "the arm"
            row.fail("failed", f"no {row.measure} of {whose} was seen to compare it by")
        else:
            row.least_gain = least_gain(baseline.curve, row.measure)
            row.gains[steps] = gain(baseline.curve, arm.curve, row.measure, row.arm.changes_step)
            if row.gain > -math.inf:
                measured.append(row)
            else:
                row.fail("failed", f"its {row.measure} was not finite, or it ended too early")
    return sorted(measured, key=lambda row: _place(plan, row))  # equal ones stay in the order of the proposals


def _place(plan: Plan, row: Row) -> tuple[float, float]:
    """Return what arms are put in order by: by a metric, the time to its target comes first."""
    if row.metric is None:
        return 0.0, -row.gain
    baseline, arm = (plan.latest[name, plan.settings.screening_seed] for name in (BASELINE.name, row.arm.name))
    return time_share(baseline.curve, arm.curve, row.metric, row.arm.changes_step), -row.gain


def _why(row: Row, steps: int) -> str:
    if not row.better:
        return f"not better than the program as it is after {steps} steps"
    return f"others were better after {steps} steps"


def _kept(count: int) -> int:
    """Return how many of a number of arms go on to the second round."""
    return min(count, _MOST, max(_LEAST, math.ceil(count / 2)))


def _admitted(plan: Plan, count: int) -> int:
    """Return how many candidates the budget has room for, with the confirmation kept free: two in any case."""
    first, second = plan.settings.screening
    room = plan.budget.left - reserve(plan)
    for number in range(count, _LEAST, -1):
        longer = 0 if first == second else _kept(number) + 1
        if plan.cost(number + 1, first) + plan.cost(longer, second) <= room:
            return number
    return min(count, _LEAST)


def reserve(plan: Plan) -> float:
    """Return the seconds that the shortest confirmation takes; what gets off a plateau is followed only so far."""
    steps = plan.settings.screening[1] // (2 if plan.settings.plateau is not None else 1)
    return plan.cost(2 * len(plan.settings.seeds), steps)
