"""A race of arms: walks the plan, has an engine run what has no result yet, and keeps the table up to date."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.errors import UsageError
from unstuck.record.manifest import read_object
from unstuck.trials.arm import Arm
from unstuck.trials.budget import RaceSettings
from unstuck.trials.curve import Curve, read_curve
from unstuck.trials.engines.engine import Engine
from unstuck.trials.plan import Measured, Plan
from unstuck.trials.spec import Result, Trial, read_result
from unstuck.trials.table import Stage, Table
from unstuck.trials.table_file import read_table


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a race is.

    Attributes:
        stage: Where it is.
        done: Trials that have ended.
        known: Trials that are known to be needed so far, ended or not.
        seconds_left: How long it may take from here, by the budget and the estimates: seldom more.
        trial: The trial that has just ended, None at the beginning of a batch.
        result: How it ended.
        table: All that is known.
    """

    stage: Stage
    done: int
    known: int
    seconds_left: float
    trial: Trial | None
    result: Result | None
    table: Table


OnProgress = Callable[[Progress], None]


def run_race(
    settings: RaceSettings, candidates: Iterable[Arm], engine: Engine, on_progress: OnProgress | None = None
) -> Table:
    """Race arms against the program as it is.

    Trials that have a result of the same spec in their folders are not run again: a race that was ended before its
    time goes on where it was, and comes to the same table.

    Args:
        settings: What the race is about.
        candidates: The arms to try, the most promising first.
        engine: Runs the trials. It is not closed.
        on_progress: Called at the beginning of every batch of trials and whenever one has ended.

    Returns:
        The table. After Ctrl-C it holds what was done until then, and its state is ``interrupted``.
    """
    settings = replace(settings, slots=settings.slots or engine.slots, folder=settings.folder.absolute())
    plan = Plan(settings, candidates)
    batches = plan.batches()
    measured: Sequence[Measured] | None = None
    try:
        while True:
            try:
                batch = batches.send(measured) if measured is not None else next(batches)
            except StopIteration:
                break
            measured = _run(plan, batch, engine, on_progress or _silent)
        plan.table.state = "finished"
    except KeyboardInterrupt:
        plan.table.state = "interrupted"
    plan.table.write()
    return plan.table


def resumed(folder: Path) -> tuple[RaceSettings, list[Arm]]:
    """Return what a race was about and its candidates, to go on with it by :func:`run_race`.

    Args:
        folder: Where its trials are kept.

    Raises:
        UsageError: There is no race, or this version does not know one of its remedies.
    """
    table = read_table(folder)
    if not table:
        raise UsageError(f"there are no trials in {folder}; 'unstuck fix -- COMMAND' runs some")
    # Combinations are not candidates: the plan comes to them by itself.
    candidates = [Arm.from_json(row) for row in table["arms"] if not row["combination"]]
    return RaceSettings.from_json(table["settings"], folder), candidates


def _run(plan: Plan, batch: Sequence[Trial], engine: Engine, on_progress: OnProgress) -> list[Measured]:
    """Run the trials of a batch that have no result, and return all of them in the batch's order."""
    table = plan.table
    results = {trial.folder: result for trial in batch if (result := _known(trial)) is not None}
    waiting = [trial for trial in batch if trial.folder not in results]
    for trial in batch:
        table.trials[trial.folder.name] = (trial, results.get(trial.folder))
    table.write()
    on_progress(_progress(plan, waiting))
    if waiting:
        with closing(engine.run(waiting)) as running:
            for trial, result in running:
                results[trial.folder] = result
                table.trials[trial.folder.name] = (trial, result)
                table.write()
                left = [other for other in waiting if other.folder not in results]
                on_progress(_progress(plan, left, trial, result))
    return [Measured(trial, results[trial.folder], _curve(trial.folder)) for trial in batch]


def _known(trial: Trial) -> Result | None:
    """Return the result of a trial that was run before, None where there is none or it was another trial's.

    The limit to its time may be another one: it did not need it.
    """
    wanted: Mapping[str, Any] = json.loads(json.dumps({**asdict(trial.spec), "command": list(trial.command)}))
    found = read_object(trial.folder / "spec.json")
    same = all(found.get(name) == value for name, value in wanted.items() if name != "seconds")
    return read_result(trial.folder) if same else None


def _curve(folder: Path) -> Curve:
    if not (folder / "manifest.json").is_file():  # the machine that was to run it was lost
        nothing = np.empty(0)
        return Curve(nothing, nothing, nothing)
    return read_curve(folder)


def _progress(
    plan: Plan, waiting: Sequence[Trial], trial: Trial | None = None, result: Result | None = None
) -> Progress:
    trials = plan.table.trials.values()
    done = sum(result is not None for _, result in trials)
    left = max(plan.budget.left, 0.0) + sum(plan.estimate(other) for other in waiting)
    return Progress(plan.stage, done, len(trials), left / plan.budget.slots, trial, result, plan.table)


def _silent(_: Progress) -> None:
    """Tell nobody."""
