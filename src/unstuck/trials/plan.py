"""The plan of a race: batches of trials out, their results in. It decides by results alone and can be walked again."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.trials.arm import BASELINE, Arm
from unstuck.trials.budget import Budget, RaceSettings
from unstuck.trials.climbing import climb
from unstuck.trials.combination import combine
from unstuck.trials.confirmation import confirm
from unstuck.trials.curve import Curve
from unstuck.trials.screening import screen
from unstuck.trials.spec import Result, Spec, Trial
from unstuck.trials.table import Row, Stage, Table

#: A step that takes another time gets that many more or fewer of them: powers of two within these bounds.
_LEAST_PACE, _MOST_PACE = -2, 3


@dataclass(frozen=True)
class Measured:
    """A trial that has ended.

    Attributes:
        trial: The trial.
        result: How it ended.
        curve: What it has noted.
    """

    trial: Trial
    result: Result
    curve: Curve

    @property
    def usable(self) -> bool:
        """Whether it is a measurement of its arm; one that ended by itself before its steps is one up to there."""
        return self.result.status in ("done", "short") and len(self.curve) > 0

    @property
    def failure(self) -> str:
        """Why it is none, in half a sentence."""
        why = self.result.reason or "no step of an optimizer was seen"
        return why if self.result.status in ("done", "short") else f"{self.result.status}: {why}"


Batches = Generator[list[Trial], Sequence[Measured], None]
#: Walks through one measurement and hands back what is asked for.
Measuring = Generator[list[Trial], Sequence[Measured], dict[tuple[str, int], Measured]]


class Plan:
    """The course of a race.

    Args:
        settings: The race.
        candidates: The arms to try, the most promising first.

    Attributes:
        settings: The same.
        table: What is known so far; filled while the plan is walked.
        budget: What is left.
        stage: Where the race is.
        missing: Kinds of remedies that found nothing to change in the program, and why.
        latest: The last measurement of each arm on each seed, by their names and numbers.
    """

    def __init__(self, settings: RaceSettings, candidates: Iterable[Arm]) -> None:
        self.settings = settings
        arms = {arm.name: arm for arm in reversed(list(candidates)) if arm.remedies}  # each once, at its first place
        self.table = Table(settings, [Row(arm) for arm in reversed(arms.values())])
        self.budget = Budget(settings)
        self.stage: Stage = ""
        self.missing: dict[str, str] = {}
        self.latest: dict[tuple[str, int], Measured] = {}
        # In all trials or in none: an arm that changes the loss needs a baseline whose error was noted.
        self._score = settings.metric is None and any(row.arm.changes_loss for row in self.table.rows)
        self._known: dict[tuple[str, int, int], Measured] = {}
        self._paces: dict[str, float] = {}

    def batches(self) -> Batches:
        """Yield batches of trials that may run at the same time; takes their results in the same order."""
        rows = yield from screen(self)
        if rows:
            climbed = yield from climb(self, rows)
            finalists = yield from combine(self, climbed)
            if finalists[0] is not climbed[0]:
                finalists = yield from climb(self, finalists)
            yield from confirm(self, finalists)
        self.stage = ""

    def measure(self, rows: Sequence[Row], seeds: Sequence[int], steps: int) -> Measuring:
        """Measure some arms and the baseline on the same seeds.

        Args:
            rows: The arms.
            seeds: Numbers of the seeds.
            steps: Steps of the baseline; an arm whose step is another one gets as many as take about as long.

        Yields:
            The trials that have not been measured yet.

        Returns:
            What was measured, by names of arms (``baseline`` for the baseline) and seeds.
        """
        asked = [(arm, seed) for seed in seeds for arm in (BASELINE, *(row.arm for row in rows))]
        keys = {(arm.name, seed): (arm.name, seed, self._steps(arm, steps)) for arm, seed in asked}
        trials = [
            self._trial(arm, seed, self._steps(arm, steps))
            for arm, seed in asked
            if keys[arm.name, seed] not in self._known
        ]
        if trials:
            self.budget.spent += sum(self.estimate(trial) for trial in trials)
            for measured in (yield trials):
                self._note(measured)
        found = {key: self._known[full] for key, full in keys.items()}
        self.latest |= found
        for row in rows:
            row.stage, row.metric = self.stage, self.settings.metric
            names = [m.trial.folder.name for (name, _), m in found.items() if name in (row.arm.name, BASELINE.name)]
            row.trials = list(dict.fromkeys([*row.trials, *names]))
            if row.arm.changes_step:
                self._set_pace(row.arm, found, seeds[0])
        return found

    def estimate(self, trial: Trial) -> float:
        """Return the seconds that a trial is expected to take: as long as the baseline's in the same place."""
        return self.budget.of(round((trial.spec.steps or 0) / self._paces.get(trial.spec.arm, 1.0)))

    def cost(self, arms: int, steps: int) -> float:
        """Return the seconds that a number of trials are expected to take."""
        return arms * self.budget.of(steps)

    def _note(self, measured: Measured) -> None:
        """Keep a result; what a trial that ended early did not use of the budget is given back."""
        spec, result = measured.trial.spec, measured.result
        self._known[spec.arm, spec.seed, spec.steps or 0] = measured
        self.missing |= {kind: f"{kind}: {why}" for kind, why in result.missing.items() if kind}
        if result.status in ("not-applied", "not-finite"):
            pace = self._paces.get(spec.arm, 1.0)
            self.budget.spent -= self.estimate(measured.trial) - self.budget.of(round(result.steps / pace))

    def _trial(self, arm: Arm, seed: int, steps: int) -> Trial:
        spec = Spec(
            arm=arm.name,
            remedies=tuple(remedy.to_json() for remedy in arm.remedies),
            seed=seed,
            steps=steps,
            total_steps=self.settings.steps,
            optimizer=self.settings.optimizer,
            apart=self.settings.apart,
            score=self._score,
            seconds=self.budget.limit(steps),
        )
        return Trial(self.settings.folder / spec.name, spec, self.settings.command)

    def _steps(self, arm: Arm, steps: int) -> int:
        return max(1, round(steps * self._paces.get(arm.name, 1.0)))

    def _set_pace(self, arm: Arm, found: dict[tuple[str, int], Measured], seed: int) -> None:
        """Note, once, how many steps of an arm take as long as one of the baseline."""
        base, treated = (_step_time(found[name, seed].curve) for name in (BASELINE.name, arm.name))
        if arm.name not in self._paces and base > 0 and treated > 0:
            power = round(float(np.log2(base / treated)))
            self._paces[arm.name] = 2.0 ** min(max(power, _LEAST_PACE), _MOST_PACE)


def _step_time(curve: Curve) -> float:
    """Return the seconds of an ordinary step; 0 where it cannot be told."""
    return float(np.median(np.diff(curve.seconds))) if len(curve) > 1 else 0.0
