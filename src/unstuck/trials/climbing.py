"""The second stage of a race: the learning rate of the best arm is followed up or down as long as that pays.

No finding knows by how much a step is too small, and every other remedy moves the best rate. A coarse ladder is
screened first; from its best rung the search goes on in half decades, and in decades beyond the ladder's end.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from unstuck.trials.arm import BASELINE
from unstuck.trials.combination import clearly_better
from unstuck.trials.rates import rate_of, with_rate
from unstuck.trials.screening import compete, room
from unstuck.trials.table import Row

if TYPE_CHECKING:
    from unstuck.trials.arm import Arm
    from unstuck.trials.plan import Measured, Plan
    from unstuck.trials.spec import Trial

_ROUNDS = 4

Climbing = Generator["list[Trial]", "Sequence[Measured]", list[Row]]


def climb(plan: Plan, ranked: Sequence[Row]) -> Climbing:
    """Follow the learning rate of the best arm.

    Args:
        plan: The race.
        ranked: The arms that are better than the baseline, the best first; may be empty.

    Yields:
        Trials to be run.

    Returns:
        The same arms, with one more at the front where another rate is clearly better.
    """
    plan.stage = "learning rate"
    kept = list(ranked)
    if not kept or rate_of(kept[0].arm) is None:
        return kept
    steps = plan.settings.screening[1]
    for _ in range(_ROUNDS):
        best = kept[0]
        rows = [Row(arm, combination=True) for arm in _next(plan, best.arm)][: room(plan, steps)]
        if not rows:
            break
        plan.table.rows.extend(rows)
        found = yield from compete(plan, rows, steps)
        better = [row for row in found if clearly_better(plan, row, best)]
        for row in found:
            if not better or row is not better[0]:
                row.fail("dropped", f"not clearly better than {(better or [best])[0].arm.label} after {steps} steps")
        if not better:
            break
        kept.insert(0, better[0])
    return kept


def _next(plan: Plan, arm: Arm) -> Iterator[Arm]:
    """Yield the arm at the rates beside its own that were not tried, a decade away too where the ladder ends."""
    own = rate_of(arm)
    assert own is not None
    base = set(with_rate(arm, 0).remedies)
    arms = [BASELINE, *(row.arm for row in plan.table.rows if row.status != "not-tried")]
    tried = {
        rate for other in arms if (rate := rate_of(other)) is not None and set(with_rate(other, 0).remedies) == base
    }
    for direction in (math.copysign(1, own), -math.copysign(1, own)):
        beyond = [rate for rate in tried if (rate - own) * direction > 0]
        for rungs in (1, 2) if not beyond else (1,):
            rate = own + round(direction) * rungs
            if rate not in tried:
                yield with_rate(arm, rate)
