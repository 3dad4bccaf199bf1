"""One trial as files: ``spec.json`` says what to run, ``result.json`` how it ended. Both are written whole or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from unstuck.record.manifest import read_object, write_whole

SCHEMA = 1

#: How a trial can end. Only the first is a full measurement; all are results.
Status = Literal["done", "short", "not-finite", "not-applied", "crashed", "out-of-memory", "hung"]


@dataclass(frozen=True, slots=True)
class Spec:
    """What one trial is to do.

    Attributes:
        arm: Name of the arm; ``baseline`` for the program as it is.
        remedies: The arm's remedies as JSON, in the order in which they are applied.
        seed: Number of the trial's seed. 0 leaves the program's seeds alone; any other shifts them, the same in
            all arms.
        steps: Steps of the optimizer after which the process ends; None for no end of our making.
        total_steps: Steps of the whole run, for schedules; they go to its end though the trial may stop before.
        optimizer: Number of the optimizer in the record that the trial is about.
        apart: Numbers of those that remedies leave alone: they belong to another phase of the program.
        score: Whether the error of the outputs is noted beside the loss, since an arm changes what the loss means.
        seconds: Time after which the trial counts as hung.
    """

    arm: str
    remedies: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0
    steps: int | None = None
    total_steps: int | None = None
    optimizer: int = 0
    apart: tuple[int, ...] = ()
    score: bool = False
    seconds: float = 3600.0

    @property
    def name(self) -> str:
        """Name of the trial's folder: it holds all that tells one trial of a race from another."""
        return f"{self.arm}-s{self.seed}-n{self.steps if self.steps is not None else 'all'}"


@dataclass(frozen=True, slots=True)
class Result:
    """How a trial ended.

    Attributes:
        status: ``done`` (all steps, or the program's own end), ``short`` (it ended by itself before), ``not-finite``
            (its loss became NaN or infinite for good), ``not-applied`` (a remedy found nothing to change),
            ``crashed``, ``out-of-memory``, ``hung``.
        steps: Steps of the optimizer that it is about.
        seconds: From start to end of the process.
        reason: Why, in one sentence, for every status but ``done``.
        missing: Of one that is ``not-applied``, the kinds of the remedies that found nothing to change, and why.
    """

    status: Status
    steps: int
    seconds: float
    reason: str = ""
    missing: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial and where it is kept.

    Attributes:
        folder: Its folder, ``trials/<arm>-s<seed>-n<steps>`` of the run: spec, result, output, a run folder's files.
        spec: What it is to do.
        command: The program's command line, word by word.
    """

    folder: Path
    spec: Spec
    command: Sequence[str]


def write_spec(trial: Trial) -> None:
    """Write ``spec.json``; makes the folder."""
    trial.folder.mkdir(parents=True, exist_ok=True)
    values = {"schema": SCHEMA, **asdict(trial.spec), "command": list(trial.command)}
    _write(trial.folder / "spec.json", values)


def read_spec(folder: Path) -> Spec:
    """Read ``spec.json``.

    Raises:
        KeyError: It is not there or has not the wanted fields.
    """
    values = read_object(folder / "spec.json")
    return Spec(
        arm=values["arm"],
        remedies=tuple(values["remedies"]),
        seed=values["seed"],
        steps=values["steps"],
        total_steps=values["total_steps"],
        optimizer=values["optimizer"],
        apart=tuple(values["apart"]),
        score=values["score"],
        seconds=values["seconds"],
    )


def write_result(folder: Path, result: Result) -> None:
    """Write ``result.json``: from then on the trial is done and is not run again."""
    _write(folder / "result.json", {"schema": SCHEMA, **asdict(result)})


def read_result(folder: Path) -> Result | None:
    """Return how a trial ended, None where it has not."""
    values = read_object(folder / "result.json")
    if not values:
        return None
    return Result(values["status"], values["steps"], values["seconds"], values["reason"], values.get("missing", {}))


def _write(file: Path, values: dict[str, Any]) -> None:
    write_whole(file, json.dumps(values, indent=1) + "\n")
