"""A run folder as plain Python: what every difficulty and every report reads."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unstuck.errors import UsageError
from unstuck.record import jsonl
from unstuck.record.schema import PULSE_COLUMNS, VERSION

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """What was noted at the steps of one optimizer, as columns of equal length; NaN where nothing was seen.

    Attributes:
        step: Step number of this optimizer, from 0.
        time: Seconds since the start of the process.
        loss: Loss that the step minimised (sum over its backward calls).
        lr: Learning rate of the first parameter group.
        grad_norm: Norm of the gradient before clipping (sampled: NaN on most steps of a fast program).
        clipped_norm: Norm after clipping, NaN where nothing was clipped.
        wait: Seconds spent waiting for data since the step before.
        loss_seen: Whether a loss was seen at the step: tells a loss that was NaN from one that was not seen.
    """

    step: Floats
    time: Floats
    loss: Floats
    lr: Floats
    grad_norm: Floats
    clipped_norm: Floats
    wait: Floats
    loss_seen: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.step)

    @classmethod
    def empty(cls) -> Pulse:
        """Return the pulse of an optimizer that has not stepped."""
        return cls(loss_seen=np.empty(0, dtype=bool), **{name: np.empty(0) for name in PULSE_COLUMNS})


@dataclass(frozen=True)
class LayerInfo:
    """A layer of the network and the line of the program that made it."""

    name: str
    type: str
    kind: str
    shape: tuple[int, ...]
    units: int
    activation: str | None
    parameters: tuple[str, ...]
    file: str | None
    line: int | None
    optimizer: int | None = None
    calls: int = 1


@dataclass(frozen=True)
class OptimizerInfo:
    """An optimizer, its hyper-parameters at the start, and the line of the program that made it."""

    index: int
    name: str
    parameters: int
    elements: int
    groups: list[dict[str, Any]]
    file: str | None
    line: int | None
    step_file: str | None
    step_line: int | None


@dataclass(frozen=True)
class Probe:
    """One probe step: measurements by name, and why the missing ones are missing."""

    optimizer: int
    step: int
    time: float
    cost: float
    replay: dict[str, Any]
    m: dict[str, Any]
    failed: dict[str, str]


@dataclass
class Run:
    """One process of a run, read from its folder.

    ``ranks`` lists the files of all processes; this is the first. ``about`` is the number of the optimizer that the run
    is looked at for, None for the one with most steps.
    """

    path: Path
    manifest: dict[str, Any]
    start: dict[str, Any] = field(default_factory=dict)
    layers: list[LayerInfo] = field(default_factory=list)
    optimizers: list[OptimizerInfo] = field(default_factory=list)
    pulse: dict[int, Pulse] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    overhead: dict[str, float] = field(default_factory=dict)
    end: dict[str, Any] | None = None
    ranks: list[Path] = field(default_factory=list)
    about: int | None = None

    def focused(self, optimizer: int) -> Run:
        """Return the run as looked at for one of its optimizers."""
        return replace(self, about=optimizer)

    def of(self, optimizer: int) -> list[Probe]:
        """Return the probes of one optimizer, in the order of their steps."""
        return [probe for probe in self.probes if probe.optimizer == optimizer]

    @property
    def main_optimizer(self) -> OptimizerInfo:
        """The optimizer that the run is looked at for, or that with most steps, of as many the one with most weights.

        Raises:
            IndexError: None was seen.
        """
        if self.about is not None:
            return next(one for one in self.optimizers if one.index == self.about)
        ranked = sorted(self.optimizers, key=lambda one: (-len(self.pulse.get(one.index, ())), -one.elements))
        return ranked[0]

    @property
    def together(self) -> list[OptimizerInfo]:
        """The main optimizer and those that step in turn with it; others belong to another phase of the program.

        Raises:
            IndexError: No optimizer was seen.
        """
        main = self.main_optimizer
        span = _span(self.pulse.get(main.index))
        return [one for one in self.optimizers if one is main or _overlap(span, _span(self.pulse.get(one.index)))]

    @property
    def steps(self) -> int:
        """Number of optimizer steps seen, over all optimizers."""
        return sum(int(p.step[-1]) + 1 for p in self.pulse.values() if len(p))


def _span(pulse: Pulse | None) -> tuple[float, float] | None:
    return (float(pulse.time[0]), float(pulse.time[-1])) if pulse is not None and len(pulse) else None


def _overlap(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    """Whether two spans of time have a part in common; what has no span could be anywhere."""
    return one is None or other is None or (one[0] <= other[1] and other[0] <= one[1])


def read_run(path: Path | str, rank: int = 0) -> Run:
    """Read a run folder.

    Args:
        path: The folder.
        rank: Which process to read.

    Returns:
        The run; its lists are empty where the program did not get that far.

    Raises:
        UsageError: The folder is not a run, or a newer version of unstuck wrote it.
    """
    folder = Path(path)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        message = f"{folder} is not a run folder: it has no readable manifest.json; 'unstuck list' shows the runs here"
        raise UsageError(message) from None
    if manifest.get("schema", 0) > VERSION:
        raise UsageError(
            f"{folder} was written by a newer unstuck (format {manifest['schema']}, this one reads up to {VERSION}); "
            f"'pip install --upgrade unstuck' reads it"
        )
    run = Run(folder, manifest, ranks=sorted(folder.glob("rank*.jsonl"), key=_order))
    chosen = [file for file in run.ranks if _order(file)[0] == rank] or run.ranks
    if chosen:
        _fill(run, _main_process(chosen))
    return run


def _order(file: Path) -> tuple[int, int]:
    match = re.fullmatch(r"rank(\d+)(?:-(\d+))?", file.stem)
    return (int(match[1]), int(match[2] or 1)) if match else (10**9, 0)


def _main_process(files: list[Path]) -> Path:
    """Of several processes that trained under one rank, the one that wrote most."""
    return max(files, key=lambda file: file.stat().st_size)


def _fill(run: Run, file: Path) -> None:
    columns: dict[int, dict[str, list[float | None]]] = {}
    for record in jsonl.read(file):
        kind = record.pop("kind", None)
        if kind == "pulse":
            into = columns.setdefault(int(record["optimizer"]), {name: [] for name in PULSE_COLUMNS})
            for name in PULSE_COLUMNS:
                into[name].extend(record[name])
        elif kind == "probe":
            run.probes.append(
                Probe(
                    int(record["optimizer"]),
                    int(record["step"]),
                    record["time"],
                    record["cost"],
                    record["replay"],
                    record["m"],
                    record["failed"],
                )
            )
        elif kind == "layers":
            index = record.get("optimizer")
            others = [layer for layer in run.layers if layer.optimizer != index]
            run.layers = others + [_layer(layer, index) for layer in record["layers"]]
        elif kind == "optimizer":
            run.optimizers.append(_optimizer(record))
        elif kind == "event":
            run.events.append(record)
        elif kind == "error":
            run.errors.append(record)
        elif kind == "start":
            run.start = record
        elif kind == "overhead":
            run.overhead = record
        elif kind == "end":
            run.end = record
    run.pulse = {index: _pulse(cols) for index, cols in sorted(columns.items())}


def _pulse(columns: dict[str, list[float | None]]) -> Pulse:
    def floats(name: str) -> Floats:
        return np.asarray([np.nan if v is None else v for v in columns[name]], dtype=np.float64)

    seen = np.asarray([v is not None for v in columns["loss"]], dtype=bool)
    return Pulse(loss_seen=seen, **{name: floats(name) for name in PULSE_COLUMNS})


def _layer(record: dict[str, Any], optimizer: int | None) -> LayerInfo:
    return LayerInfo(
        record["name"],
        record["type"],
        record["kind"],
        tuple(record["shape"]),
        record["units"],
        record["activation"],
        tuple(record["parameters"]),
        record["file"],
        record["line"],
        optimizer,
        record.get("calls", 1),
    )


def _optimizer(record: dict[str, Any]) -> OptimizerInfo:
    return OptimizerInfo(
        record["optimizer"],
        record["class"],
        record["parameters"],
        record["elements"],
        record["groups"],
        record["file"],
        record["line"],
        record["step_file"],
        record["step_line"],
    )
