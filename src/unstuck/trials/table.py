"""The table of a race: every arm, how it did and why it went no further. ``trials/table.json`` is always up to date."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from unstuck.record import jsonl
from unstuck.record.manifest import write_whole
from unstuck.trials.arm import Arm
from unstuck.trials.beside import Beside
from unstuck.trials.budget import RaceSettings
from unstuck.trials.metric import Measure, Metric
from unstuck.trials.objective import Objective
from unstuck.trials.spec import Result, Trial
from unstuck.trials.statistics import Interval
from unstuck.trials.table_file import NAME

SCHEMA = 1

Stage = Literal["", "screening", "learning rate", "combination", "confirmation"]

#: ``pending`` until the race has decided. ``failed``: its trial was no full measurement. ``dropped``: it was not better
#: than the baseline, or others were better. ``not-proven``: confirmed, but the interval does not exclude chance.
RowStatus = Literal["pending", "not-tried", "failed", "dropped", "not-proven", "proven"]


@dataclass
class Row:
    """One arm of a race.

    Attributes:
        arm: The arm.
        combination: Whether the race has made it out of others.
        status: Where it stands.
        reason: Why, in half a sentence.
        stage: The last stage that it took part in.
        gains: By steps of the screening: how far below the baseline it was, as a share of the baseline's level.
        objective: What it was confirmed by.
        speedup_steps: How many times fewer steps it takes to the target; None where it was not confirmed, or where its
            steps are not the baseline's.
        speedup_seconds: How many times sooner it is at the target.
        final: Its smoothed level at the end minus the baseline's.
        metrics: Last value minus the baseline's, by the name of what the program prints.
        beside: What it does to the metrics of held-out data, by their names.
        metric: What is raced by instead of the loss, None for the loss; set when it is first measured.
        trials: Names of its trials' folders; and of the baselines that it was confirmed against.
    """

    arm: Arm
    combination: bool = False
    status: RowStatus = "pending"
    reason: str = ""
    stage: Stage = ""
    gains: dict[int, float] = field(default_factory=dict)
    objective: Objective | None = None
    speedup_steps: Interval | None = None
    speedup_seconds: Interval | None = None
    final: Interval | None = None
    metrics: dict[str, Interval] = field(default_factory=dict)
    beside: dict[str, Beside] = field(default_factory=dict)
    metric: Metric | None = None
    trials: list[str] = field(default_factory=list)

    @property
    def measure(self) -> Measure:
        """What it is compared by."""
        if self.metric is not None:
            return self.metric
        return "error" if self.arm.changes_loss else "loss"

    @property
    def gain(self) -> float:
        """Its gain in the longest screening that it took part in."""
        return self.gains[max(self.gains)] if self.gains else -math.inf

    @property
    def speedup(self) -> Interval | None:
        """The speed-up that decides: in steps, which are the same on any machine, where they mean the same."""
        return self.speedup_seconds if self.arm.changes_step else self.speedup_steps

    def fail(self, status: RowStatus, reason: str) -> None:
        """Note that it goes no further."""
        self.status, self.reason = status, reason

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON."""
        names = ("speedup_steps", "speedup_seconds", "final")
        parts = {name: asdict(part) if (part := getattr(self, name)) else None for name in names}
        found: dict[str, Any] = jsonl.encode(
            {
                "gains": self.gains,
                "objective": self.objective.to_json() if self.objective else None,
                **parts,
                "metrics": {name: asdict(interval) for name, interval in self.metrics.items()},
                "beside": {name: asdict(what) for name, what in self.beside.items()},
            }
        )
        return {
            "name": self.arm.name,
            "label": self.arm.label,
            **self.arm.to_json(),  # to the last digit: the race is resumed from it
            "combination": self.combination,
            "measure": str(self.measure),
            "status": self.status,
            "proven": self.status == "proven",
            "reason": self.reason,
            "stage": self.stage,
            **found,
            "trials": self.trials,
        }


@dataclass
class Table:
    """All arms of a race, those that were proposed first, then the combinations.

    Attributes:
        settings: The race.
        rows: The arms.
        state: Whether the race goes on, was ended before its time, or is over.
        problem: Why there is no race: the program does not train in a trial.
        trials: All trials so far, in the order of the plan, with what is known of them.
    """

    settings: RaceSettings
    rows: list[Row]
    state: Literal["running", "interrupted", "finished"] = "running"
    problem: str = ""
    trials: dict[str, tuple[Trial, Result | None]] = field(default_factory=dict)

    @property
    def proven(self) -> list[Row]:
        """The arms that are proven, the best first."""
        rows = [row for row in self.rows if row.status == "proven"]
        return sorted(rows, key=lambda row: -row.speedup.estimate if row.speedup else 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return the table as strict JSON: numbers that are not finite are strings, as everywhere in a run folder."""
        done = [(trial, result) for trial, result in self.trials.values() if result is not None]
        return {
            "schema": SCHEMA,
            "state": self.state,
            "problem": self.problem,
            "settings": self.settings.to_json(),
            "arms": [row.to_json() for row in self.rows],
            "trials": [
                {"name": trial.folder.name, "arm": trial.spec.arm, "seed": trial.spec.seed, **asdict(result)}
                for trial, result in done
            ],
        }

    def write(self) -> None:
        """Write the table whole or not at all; makes the folder."""
        folder = self.settings.folder
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / NAME, json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n")
