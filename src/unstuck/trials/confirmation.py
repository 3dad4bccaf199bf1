"""The last stage of a race: the winner on fresh seeds against a fresh baseline, pair by pair."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unstuck.trials.arm import BASELINE
from unstuck.trials.arrival import at_first_value, baseline_time
from unstuck.trials.beside import beside, ends_worse, last_values
from unstuck.trials.budget import SECOND
from unstuck.trials.metric import Metric
from unstuck.trials.objective import Objective, final_levels, objective_of, time_to
from unstuck.trials.statistics import UNASKED, WORTH, Interval, difference, speedup
from unstuck.trials.table import Row

if TYPE_CHECKING:
    from unstuck.trials.curve import Curve
    from unstuck.trials.plan import Measured, Plan
    from unstuck.trials.spec import Trial

#: An arm ends worse where it ends this many times the noise above the program as it is, and this share of its way.
_WORSE_NOISE, _WORSE_SHARE = 2.0, 0.002

#: Arms that are confirmed: with every further one it is likelier that chance alone proves something.
_MOST = 2

#: What of a row a judgement writes.
_JUDGED = ("objective", "speedup_steps", "speedup_seconds", "final", "metrics", "beside", "status", "reason")

Pair = tuple["Measured", "Measured"]


@dataclass(frozen=True)
class _Held:
    """A pair and the level that it is held to."""

    objective: Objective
    base: Curve
    arm: Measured


def confirm(plan: Plan, finalists: Sequence[Row]) -> Generator[list[Trial], Sequence[Measured], None]:
    """Confirm the winner, then what treats the first cause, or the runner-up where the winner is not proven.

    Only as far as the budget goes.

    Args:
        plan: The race.
        finalists: The arms that may be confirmed, the best first; at least one.

    Yields:
        Trials to be run.
    """
    plan.stage = "confirmation"
    seeds = plan.settings.seeds
    share = plan.budget.share(plan.settings, 2 * len(seeds), SECOND)
    steps = max(plan.settings.steps_of(share), plan.settings.beyond, _until_there(plan, finalists[0]))
    decided = False
    causes = plan.settings.causes
    covered = not _treats_the_cause(finalists[0], causes)  # what helps most may leave the cause where it is
    for place, row in enumerate(_in_order(finalists, causes)):
        of_the_cause = place == 1 and covered and _treats_the_cause(row, causes)
        if place >= _MOST or (decided and not of_the_cause):
            row.fail("dropped", "another arm was better in the screening")
        elif place and plan.cost(len(seeds), steps) > plan.budget.left:
            row.fail("dropped", "another arm was better in the screening, and no budget was left to confirm this one")
        else:
            found = yield from plan.measure([row], seeds, steps)
            pairs = [(found[BASELINE.name, seed], found[row.arm.name, seed]) for seed in seeds]
            judge(row, pairs, plan.settings.plateau)
            decided = decided or row.status == "proven"


def _in_order(finalists: Sequence[Row], causes: Sequence[str]) -> list[Row]:
    """Return the finalists with the best arm that treats the first cause in second place, if it is not the winner.

    What helps most may only cover the cause up: a smaller step copes with inputs that should be scaled. Who reads the
    report is told what each of the two gives.
    """
    rows = list(finalists)
    treating = next((row for row in rows if _treats_the_cause(row, causes)), None)
    if treating is not None and treating is not rows[0]:
        rows.remove(treating)
        rows.insert(1, treating)
    return rows


def _treats_the_cause(row: Row, causes: Sequence[str]) -> bool:
    return bool(causes) and row.arm.difficulty == causes[0]


def _until_there(plan: Plan, row: Row) -> int:
    """Return twice the steps that the winner took in the screening to get off a plateau or to a given target.

    0 where there is neither; all steps where it did not get off the plateau.
    """
    metric = plan.settings.metric
    given = metric is not None and metric.target is not None
    if plan.settings.plateau is None and not given:
        return 0
    names = (BASELINE.name, row.arm.name)
    baseline, arm = (plan.latest[name, plan.settings.screening_seed].curve for name in names)
    objective = objective_of([baseline], row.measure, plan.settings.plateau)
    reached = np.inf if objective is None else time_to(arm, objective.target, objective.window, row.measure)[0]
    if plan.settings.plateau is None and not np.isfinite(reached):
        return 0  # as long as the budget allows may be enough
    return plan.settings.steps_of(min(2 * reached / plan.settings.steps, 1.0))


def judge(row: Row, pairs: Sequence[Pair], plateau: float | None = None) -> None:
    """Write into a row what its pairs say.

    Args:
        row: The arm.
        pairs: Baseline and arm on the same seeds.
        plateau: Level that the watched run is stuck at, None where it learned.
    """
    got_somewhere = _judge(row, pairs, plateau)
    if row.status == "not-proven" and got_somewhere:
        # Where a run comes to rest too high up, what counts is not how soon an arm is there, but that it gets further.
        further = replace(row)
        _judge(further, pairs, plateau, beyond=True)
        if further.status == "proven":
            for name in _JUDGED:
                setattr(row, name, getattr(further, name))


def _judge(row: Row, pairs: Sequence[Pair], plateau: float | None, beyond: bool = False) -> bool:
    """Judge by where the baselines have gone most of their way, or by a level beyond what they reach.

    Returns:
        Whether a baseline got somewhere, so that it was judged by the former.
    """
    pairs = [pair for pair in pairs if len(pair[0].curve.of(row.measure)[0])]
    # Each pair is held to its own level: a seed may bring other data, on which a common one says nothing.
    own = [(objective_of([base.curve], row.measure, plateau, beyond=beyond), base.curve, arm) for base, arm in pairs]
    held = [_Held(objective, base, arm) for objective, base, arm in own if objective is not None]
    common = objective_of([one.base for one in held], row.measure, plateau, beyond=beyond)
    if common is None:
        row.fail("not-proven", f"the baseline's {row.measure} was not seen")
        return False
    target = float(np.median([one.objective.target for one in held]))
    row.objective = replace(common, target=target, stuck=any(one.objective.stuck for one in held))
    if any(at_first_value(one.base, one.objective) for one in held):
        where = f"where it first prints {row.measure}"
        row.fail("not-proven", f"the program is at {_level(row.objective)} {where}: how soon is not known")
        return False
    bases = [_baseline_time(one) for one in held]
    arms = [_time(one.arm, one.objective) for one in held]
    # An arm that is there at its first printed value may have been there long before.
    censored = any(base[2] for base in bases) or any(at_first_value(one.arm.curve, one.objective) for one in held)
    by_steps = speedup([base[0] for base in bases], [arm[0] for arm in arms], censored)
    row.speedup_steps = None if row.arm.changes_step else by_steps
    row.speedup_seconds = speedup([base[1] for base in bases], [arm[1] for arm in arms], censored)
    ends = [final_levels(one.base, one.arm.curve, one.objective, row.arm.changes_step) for one in held]
    row.final = difference(*([common.shown(levels[side]) for levels in ends] for side in (0, 1)))
    curves = [(one.base, one.arm.curve) for one in held]
    row.metrics = last_values(curves)
    row.beside = beside(curves, row.arm, row.measure)
    _decide(row, row.objective, held, ends)
    return not all(one.objective.stuck for one in held)


def _decide(row: Row, objective: Objective, held: Sequence[_Held], ends: Sequence[tuple[float, float]]) -> None:
    """Say whether it is proven, and if not, why.

    Args:
        row: The arm.
        objective: What is told of the levels.
        held: The pairs, each with its own level.
        ends: Where baseline and arm end, pair by pair.
    """
    found = row.speedup
    assert found is not None
    lost = [one.arm for one in held if not one.arm.usable]
    away = [end for one, (_, end) in zip(held, ends, strict=True) if end > _limit(one.objective)]
    if lost:
        row.fail("not-proven", f"{len(lost)} of {len(held)} trials failed ({lost[0].failure})")
    elif found.estimate == 0:
        row.fail("not-proven", f"it does not reach {_level(objective)} on every seed")
    elif away:
        row.fail("not-proven", f"it reaches {_level(objective)} but does not stay there on every seed")
    elif not found.is_above(worth := _worth(row)):
        row.fail("not-proven", f"{found.estimate:.2g} times sooner, but {_interval(found, worth)}")
    elif worse := _ends_above(ends, objective):
        row.fail("not-proven", f"{found.estimate:.2g} times sooner at {_level(objective)}, but {worse}")
    elif not isinstance(row.measure, Metric) and (worse := ends_worse(row.beside)):
        by = "training loss" if row.measure == "loss" else "error of its outputs"
        row.fail("not-proven", f"sooner by the {by}, but {worse}")
    else:
        row.status, row.reason = "proven", ""


def _baseline_time(held: _Held) -> tuple[float, float, bool]:
    """Return a baseline's time to its level; one that is lost never gets there, however soon its trial was ended."""
    steps, seconds, never = baseline_time(held.base, held.objective)
    values, arm = held.base.of(held.objective.measure)[2], held.arm.curve
    if never and len(arm) and not np.isfinite(values[-1]):
        return max(steps, float(arm.steps[-1])), max(seconds, float(arm.seconds[-1])), never
    return steps, seconds, never


def _limit(objective: Objective) -> float:
    """Return the level above which an arm has not stayed at the target."""
    return objective.target + 2 * objective.noise


def _ends_above(ends: Sequence[tuple[float, float]], objective: Objective) -> str:
    """Return how much worse an arm ends than the program as it is; empty where it does not.

    A larger step is sooner at most levels and stays above the lowest: that is a trade, no remedy. Who gives a target
    has said what counts.
    """
    if isinstance(objective.measure, Metric) and objective.measure.target is not None:
        return ""
    above = difference(*zip(*ends, strict=True))
    least = max(_WORSE_NOISE * objective.noise, _WORSE_SHARE * abs(objective.start - objective.end))
    if objective.stuck or not above.estimate > least:
        return ""
    base, arm = (f"{objective.shown(float(np.median(side))):.3g}" for side in zip(*ends, strict=True))
    return f"it ends at {arm}, worse than the program as it is ({base})"


def _level(objective: Objective) -> str:
    return f"{objective.shown(objective.target):.{4 if isinstance(objective.measure, Metric) else 3}g}"


def _worth(row: Row) -> float:
    """Return what a speed-up has to be above; who names a metric has asked for what makes it better."""
    return WORTH if row.arm.difficulty or row.metric is not None else UNASKED


def _interval(found: Interval, worth: float) -> str:
    if found.pairs < 2:
        return "a single pair proves nothing"
    ends = f"the interval from {found.low:.2g} to {found.high:.2g}"
    if not found.low > 1:
        return f"{ends} does not exclude chance"
    unasked = "" if worth == WORTH else ", where no finding asks for it"
    return f"{ends} is not above what is worth a change ({worth:g}{unasked})"


def _time(arm: Measured, objective: Objective) -> tuple[float, float]:
    """Return an arm's time to the target; one that is lost later on has not got there."""
    if not arm.usable:
        return np.inf, np.inf
    return time_to(arm.curve, objective.target, objective.window, objective.measure)
