"""Races without programs: an engine whose trials follow a formula, and leave the folders that real ones leave."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from unstuck.record import Run
from unstuck.record.schema import PULSE_COLUMNS
from unstuck.record.writer import Writer
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.trials.arm import Arm
from unstuck.trials.budget import RaceSettings
from unstuck.trials.inside.stage import Stage
from unstuck.trials.spec import Result, Spec, Status, Trial, write_result, write_spec
from unstuck.trials.table import Row, Table

STEPS = 400
_LIMIT = 9.0


@dataclass(frozen=True)
class _Made(Remedy):
    """A remedy that only the formula knows."""

    number: float = 1.0

    @property
    def label(self) -> str:
        return f"{self.kind} {self.number:g}"

    def apply(self, stage: Stage) -> None:
        raise AssertionError("no trial of these tests has a process")

    def edit(self, run: Run) -> Edit:
        return Edit("")


@dataclass(frozen=True)
class Momentum(_Made):
    """Makes training faster by its number."""

    kind: ClassVar[str] = "test-momentum"


@dataclass(frozen=True)
class OtherLoss(_Made):
    """Writes losses that mean something else, and errors divided by its number."""

    kind: ClassVar[str] = "test-loss"
    changes_loss: ClassVar[bool] = True


@dataclass(frozen=True)
class Batch(_Made):
    """Takes steps that are shorter by its number, and as good."""

    kind: ClassVar[str] = "test-batch"
    changes_step: ClassVar[bool] = True


def rate(factor: float) -> Arm:
    """Return an arm with another learning rate."""
    return Arm((LearningRate(factor),))


def faster(number: float) -> Arm:
    """Return an arm that is so many times faster, whatever its learning rate."""
    return Arm((Momentum(number),))


@dataclass
class Course:
    """What one trial gives.

    Attributes:
        loss: Losses of its steps.
        error: Errors, noted where the spec asks for them.
        per_step: Seconds of a step.
        status: How it ends.
        reason: Why.
        missing: Kinds of remedies that found nothing to change, and why.
        printed: Lines that the program prints, each with the steps done.
    """

    loss: np.ndarray
    error: np.ndarray | None = None
    per_step: float = 0.01
    status: Status = "done"
    reason: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)
    printed: list[tuple[int, str]] = field(default_factory=list)


Formula = Callable[[Spec], Course]


def learns(spec: Spec, tau: float = 200.0, noise: float = 0.01, floor: float = 0.2) -> Course:
    """Return a loss that decays exponentially, faster by the remedies; each seed has its own rate and noise.

    A learning rate above nine times its own is too large.
    """
    steps = spec.steps or STEPS
    random = np.random.default_rng(spec.seed)
    tau *= float(np.exp(0.1 * random.standard_normal()))
    speed, per_step, error_scale, scale, lost = 1.0, 0.01, 1.0, 1.0, False
    for remedy in spec.remedies:
        if remedy["kind"] == "learning-rate":
            speed *= remedy["factor"]
            lost = lost or remedy["factor"] > _LIMIT
        elif remedy["kind"] == "test-momentum":
            speed *= remedy["number"]
        elif remedy["kind"] == "test-loss":
            error_scale, scale = 1 / remedy["number"], 1000.0
        elif remedy["kind"] == "test-batch":
            per_step /= remedy["number"]
    t = np.arange(steps)
    loss = floor + (2.3 - floor) * np.exp(-t * speed / tau) + noise * random.standard_normal(steps)
    error = error_scale * loss
    if lost:
        loss[min(5, steps - 1) :] = np.nan
        return Course(loss, error, per_step, "not-finite", "its loss was not finite")
    return Course(scale * loss, error, per_step)


def tuned(spec: Spec, **options: Any) -> Course:
    """Return the same loss, of a program whose learning rate is the best one: any other is only half as fast."""
    rates = [remedy for remedy in spec.remedies if remedy["kind"] == "learning-rate"]
    slowed = {"kind": "test-momentum", "number": 0.5}
    others = [remedy for remedy in spec.remedies if remedy["kind"] != "learning-rate"]
    return learns(dataclasses.replace(spec, remedies=(*others, *(slowed for _ in rates))), **options)


def prints(
    spec: Spec,
    every: int = 20,
    noise: float = 0.002,
    lower: float = 0.0,
    formula: Callable[..., Course] = tuned,
    **options: Any,
) -> Course:
    """Return the course of a program that prints an accuracy of 0.1 at first and 0.95 in the end.

    Args:
        spec: The trial.
        every: Steps between two printed values.
        noise: Of the printed values.
        lower: How much lower it is where there are remedies.
        formula: Gives its loss.
        options: Those of the formula.
    """
    course = formula(spec, **options)
    random = np.random.default_rng(1000 + spec.seed)
    t = np.arange(every, len(course.loss) + 1, every)
    smooth = formula(spec, **{**options, "noise": 0.0}).loss[t - 1]
    accuracy = 0.95 - 0.85 * (smooth - 0.2) / 2.1 + noise * random.standard_normal(len(t)) - lower * bool(spec.remedies)
    course.printed = [
        (int(n), f"step {n} train loss 0.5 val accuracy {a:.2%}") for n, a in zip(t, accuracy, strict=True)
    ]
    return course


def write(folder: Path, course: Course, spec: Spec | None = None) -> None:
    """Write the record of a trial as its process does."""
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "command": ["train"]}))
    writer = Writer(folder, 0)
    count = len(course.loss)
    columns: dict[str, list[Any]] = {name: [None] * count for name in PULSE_COLUMNS}
    columns |= {"step": list(range(count)), "time": [5 + course.per_step * i for i in range(count)]}
    columns |= {"loss": [float(v) for v in course.loss], "lr": [0.1] * count}
    if count:
        writer.write("pulse", optimizer=0, **columns)
    writer.close()
    if course.printed:
        lines = [json.dumps({"step": step, "text": text}) + "\n" for step, text in course.printed]
        (folder / "printed.jsonl").write_text("".join(lines))
    if course.error is not None and (spec is None or spec.score):
        line = json.dumps({"step": list(range(count)), "error": [float(v) for v in course.error]})
        (folder / "score.jsonl").write_text(line + "\n")


@dataclass
class FakeEngine:
    """Runs trials by a formula.

    Attributes:
        formula: Gives the course of a trial.
        dies_after: Number of trials after which the driver is ended, in the middle of the next one.
        backwards: Whether trials end in the reverse of their order.
        ran: Names of the trials that were run.
    """

    formula: Formula = learns
    dies_after: int | None = None
    backwards: bool = False
    slots: int = 2
    ran: list[str] = field(default_factory=list)

    def run(self, trials: Sequence[Trial]) -> Generator[tuple[Trial, Result], None, None]:
        for trial in reversed(trials) if self.backwards else trials:
            shutil.rmtree(trial.folder, ignore_errors=True)
            write_spec(trial)
            course = self.formula(trial.spec)
            write(trial.folder, course, trial.spec)
            if self.dies_after is not None and len(self.ran) >= self.dies_after:
                raise KeyboardInterrupt
            self.ran.append(trial.folder.name)
            count = len(course.loss)
            result = Result(course.status, count, count * course.per_step, course.reason, course.missing)
            write_result(trial.folder, result)
            yield trial, result

    def close(self) -> None:
        pass


def settings(folder: Path, **changes: Any) -> RaceSettings:
    """Return the settings of a race about a program of 400 steps and one minute."""
    values: dict[str, Any] = {"command": ("train",), "steps": STEPS, "seconds": 60.0, "startup": 2.0, **changes}
    return RaceSettings(folder / "trials", **values)


def row_of(table: Table, arm: Arm) -> Row:
    """Return the row of an arm."""
    return next(row for row in table.rows if row.arm.name == arm.name)
