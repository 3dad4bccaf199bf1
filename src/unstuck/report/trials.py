"""The trials of a run as the reports show them: arms with their speed-ups, and the edits that a person would make."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unstuck.difficulties.finding import Cost, Diagnosis, Finding
from unstuck.errors import UsageError
from unstuck.record import Run
from unstuck.report.sooner import Sooner, interval_of, sooner_of
from unstuck.trials.curve import read_curve
from unstuck.trials.metric import Metric
from unstuck.trials.restarts import Restarts, restarts
from unstuck.trials.statistics import Interval
from unstuck.trials.table_file import read_table

if TYPE_CHECKING:
    from unstuck.remedies import Edit


@dataclass(frozen=True)
class TrialArm:
    """One arm.

    Attributes:
        label: Its remedies in a few words.
        difficulty: The finding that called for it; empty where it is tried in any case.
        status: ``proven``, ``not-proven``, ``dropped``, ``failed``, ``not-tried`` or ``pending``.
        reason: Why, in half a sentence.
        stage: The last stage that it took part in.
        measure: ``loss``, ``error``, or the name of the metric that was raced by.
        target: The level that it was to reach; None where it was not confirmed.
        by_metric: Whether the measure is a metric.
        steps: How many times fewer steps it takes to the same level; None where it was not confirmed.
        seconds: How many times sooner it is there.
        final: Its level at the end minus the baseline's.
        gain: How far below the baseline it was in the screening, as a share of the baseline's level; NaN where it was
            not in it.
        edits: What a person would write, one per remedy.
        diff: All edits as one unified diff; empty where they take a person.
        trials: Names of its trials' folders, and of the baselines that it was compared with.
        remedies: The remedies as JSON.
        metrics: Last values of what the program prints of itself, minus the baseline's, by name.
        beside: How soon it is at a level of the metrics of held-out data, by name.
        name: Its name, as its trials' folders have it.
        beyond: Whether the level that it was held to is one that the program as it is does not reach.
    """

    label: str
    difficulty: str
    status: str
    reason: str
    stage: str
    measure: str
    target: float | None
    by_metric: bool
    steps: Interval | None
    seconds: Interval | None
    final: Interval | None
    gain: float
    edits: tuple[Edit, ...]
    diff: str
    trials: tuple[str, ...]
    remedies: tuple[Mapping[str, Any], ...]
    metrics: Mapping[str, Interval]
    beside: Mapping[str, Sooner]
    name: str
    beyond: bool

    @property
    def speedup(self) -> Interval | None:
        """The speed-up that decides: in steps, unless a step means something else in this arm."""
        return self.steps or self.seconds

    @property
    def edit(self) -> str:
        """What a person would write, with its line, in one sentence per remedy."""
        return "; ".join(edit.sentence for edit in self.edits)


@dataclass(frozen=True)
class Trials:
    """All trials of a run.

    Attributes:
        state: ``running``, ``interrupted`` or ``finished``.
        problem: Why there was no race; empty where there was one.
        arms: The proven ones first, then by how far they came.
        count: Trials that have ended.
        seconds: What they took, all together.
        restarts: What the program as it is does on different seeds, where the seed decides; else None.
        metric: What was raced by instead of the loss, with its target; None for the loss.
    """

    state: str
    problem: str
    arms: tuple[TrialArm, ...]
    count: int
    seconds: float
    restarts: Restarts | None = None
    metric: Metric | None = None

    @property
    def proven(self) -> list[TrialArm]:
        """The arms that are proven, the best first."""
        return [arm for arm in self.arms if arm.status == "proven"]


_ORDER = ("proven", "not-proven", "dropped", "failed", "pending", "not-tried")


def trials_of(run: Run) -> Trials | None:
    """Return the trials of a run, None where there were none."""
    table = read_table(run.path / "trials")
    if not table:
        return None
    metric = Metric.from_json(table["settings"].get("metric"))
    if run.optimizers:
        run = run.focused(table["settings"].get("optimizer", run.main_optimizer.index))
    arms = [_arm(run, values, metric is not None) for values in table["arms"]]
    arms.sort(key=lambda arm: (_ORDER.index(arm.status), -_size(arm)))
    seconds = sum(float(trial["seconds"]) for trial in table["trials"])
    decided = _restarts(run, table["trials"])
    return Trials(table["state"], table["problem"], tuple(arms), len(table["trials"]), seconds, decided, metric)


def _restarts(run: Run, trials: Sequence[Mapping[str, Any]]) -> Restarts | None:
    """Judge the baselines of one length: that of which there are most seeds."""
    baselines: dict[int, list[Path]] = {}
    for trial in trials:
        folder = run.path / "trials" / trial["name"]
        if trial["arm"] == "baseline" and trial["status"] in ("done", "not-finite") and folder.is_dir():
            baselines.setdefault(int(trial["name"].rpartition("-n")[2]), []).append(folder)
    if not baselines:
        return None
    longest = max(baselines, key=lambda steps: (len(baselines[steps]), steps))
    return restarts([read_curve(folder) for folder in baselines[longest]])


def with_trials(run: Run, diagnosis: Diagnosis) -> Diagnosis:
    """Return a diagnosis whose costs are those that trials have measured, where they have.

    Args:
        run: The run.
        diagnosis: What its record says.
    """
    trials = trials_of(run)
    if trials is None or not trials.proven:
        return diagnosis
    measured: dict[str, Cost] = {}
    for arm in trials.proven:
        if arm.speedup is not None:
            low, high = arm.speedup.low, arm.speedup.high
            measured.setdefault(arm.difficulty, Cost(arm.speedup.estimate, low, high, measured_by="trial"))

    def costed(finding: Finding) -> Finding:
        cost = measured.get(finding.difficulty) if finding.role == "cause" else None
        return finding if cost is None else dataclasses.replace(finding, cost=cost)

    return dataclasses.replace(diagnosis, findings=tuple(costed(finding) for finding in diagnosis.findings))


def _arm(run: Run, values: Mapping[str, Any], by_metric: bool) -> TrialArm:
    # Late: remedies import torch, which a report of a run without trials can do without.
    from unstuck.remedies import Edit, from_json, merged

    edits: list[Edit] = []
    for remedy in values["remedies"]:
        try:
            edits.append(from_json(remedy).edit(run))
        except UsageError as error:  # a newer version's
            edits.append(Edit(str(error)))
    gains, objective = values["gains"], values["objective"] or {}
    return TrialArm(
        label=values["label"],
        difficulty=values["difficulty"],
        status=values["status"],
        reason=values["reason"],
        stage=values["stage"],
        measure=values["measure"],
        target=objective.get("target"),
        by_metric=by_metric,
        steps=interval_of(values["speedup_steps"]),
        seconds=interval_of(values["speedup_seconds"]),
        final=interval_of(values["final"]),
        gain=float(gains[max(gains, key=int)]) if gains else math.nan,
        edits=tuple(edits),
        diff=merged(edits),
        trials=tuple(values["trials"]),
        remedies=tuple(values["remedies"]),
        metrics={name: Interval(**interval) for name, interval in values["metrics"].items()},
        beside={name: sooner_of(what) for name, what in values.get("beside", {}).items()},
        name=values["name"],
        beyond=bool(objective.get("stuck")),
    )


def _size(arm: TrialArm) -> float:
    """Return how far an arm came, to put arms of one status in order."""
    if arm.speedup is not None and math.isfinite(arm.speedup.estimate):
        return arm.speedup.estimate
    return arm.gain if math.isfinite(arm.gain) else -math.inf
