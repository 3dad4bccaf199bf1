"""Made-up runs for the tests of the difficulties: plain arguments in, a run folder by the real writer out.

A :class:`Record` starts as a sound run: a network of three layers that learns ten classes by gradient descent. A test
changes what its fault changes (:meth:`Record.but`), and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.diagnosis import cases_of
from unstuck.record import Run, read_run
from unstuck.record.schema import PULSE_COLUMNS
from unstuck.record.writer import Writer

STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 320, 399)
#: Lines of the imaginary train.py: the layers from 10 on, the optimizer, its step.
FIRST_LAYER, OPTIMIZER, STEP = 10, 20, 30


def learns(start: float = 2.3, end: float = 0.05, steps: int = 400, noise: float = 0.002) -> list[float]:
    """Return a loss that falls from start to end within the first half of the run and stays there."""
    t = np.arange(steps)
    return _noisy(end + (start - end) * np.exp(-t / (0.06 * steps)), noise)


def stays(level: float = 2.3, steps: int = 400, noise: float = 0.002) -> list[float]:
    """Return a loss that goes nowhere."""
    return _noisy(np.full(steps, level), noise)


def falls(start: float = 2.3, end: float = 0.5, steps: int = 400) -> list[float]:
    """Return a loss that falls at the same rate from the first step to the last."""
    return _noisy(np.linspace(start, end, steps), 0.002)


def leaps(top: float = 50.0, level: float = 2.33, steps: int = 400) -> list[float]:
    """Return a loss that is thrown up in the first steps and then lies still."""
    losses = stays(level, steps)
    losses[1:4] = [top / 3, top, top / 5]
    return losses


def breaks(at: int = 40, steps: int = 400) -> list[float]:
    """Return a loss that falls and becomes NaN."""
    losses = learns(steps=steps)
    losses[at:] = [float("nan")] * (steps - at)
    return losses


def _noisy(values: np.ndarray, noise: float) -> list[float]:
    wiggle = np.random.default_rng(0).standard_normal(len(values))
    return [float(v) for v in values + noise * wiggle * np.abs(values)]


def layer(name: str, *shape: int, kind: str = "linear", activation: str | None = "relu", **more: Any) -> dict[str, Any]:
    """Describe a layer as ``unstuck.attach.describe`` does."""
    return {
        "name": name,
        "type": {"linear": "Linear", "conv": "Conv2d", "recurrent": "RNN"}.get(kind, kind),
        "kind": kind,
        "shape": list(shape),
        "units": shape[0] if shape else 0,
        "activation": activation,
        "parameters": [f"{name}.weight", f"{name}.bias"],
        "calls": 1,
        "file": "train.py",
        "line": FIRST_LAYER,
        **more,
    }


def stack(depth: int, width: int = 32, activation: str | None = "relu") -> list[dict[str, Any]]:
    """Describe a network of linear layers, ``fc1`` on line 10, ``fc2`` on line 11 and so on."""
    shapes = [(width, 64), *[(width, width)] * (depth - 2), (10, width)] if depth > 1 else [(10, 64)]
    return [
        layer(f"fc{i + 1}", *shape, activation=activation if i < depth - 1 else None, line=FIRST_LAYER + i)
        for i, shape in enumerate(shapes[:depth])
    ]


def sound(layers: list[dict[str, Any]], lr: float) -> dict[str, Any]:
    """Return the measurements of a probe in which nothing is wrong, as ``unstuck.measure`` gives them."""
    return {
        "parameters": audit(2 * len(layers)),
        "loss": 2.3,
        "not_finite": {
            "where": None,
            "layer": None,
            "parameter": None,
            "kind": None,
            "share": None,
            "parameters_finite": True,
            "loss_finite": True,
            "file": None,
            "line": None,
        },
        "norms": {
            "weight": 9.5,
            "gradient": 0.4,
            "used_gradient": 0.4,
            "update": 0.04,
            "update_ratio": 0.004,
            "no_gradient": [],
            "no_gradient_count": 0,
        },
        "inputs": {
            "mean": 0.3,
            "std": 0.38,
            "rms": 0.49,
            "min": 0.0,
            "max": 1.0,
            "feature_std_min": 0.2,
            "feature_std_max": 0.44,
            "feature_rms_max": 0.8,
            "feature_rms_median": 0.4,
            "offset": 2.9,
            "features": 64,
            "constant_features": 11,
            "sum": lambda i: 1248.0 + i,
        },
        "baseline": {
            "loss_kind": "cross_entropy",
            "constant": 2.3,
            "part": 2.3,
            "counts": [6, 7, 6, 7, 6, 7, 6, 7, 6, 6],
            "examples": 64,
        },
        "layers": {described["name"]: numbers(described) for described in layers},
        "along_update": {
            "slope": -0.04,
            "bend": 0.01,
            "curvature": 0.25,
            "optimum": 4.0,
            "loss_before": 2.3,
            "loss_after": 2.26,
            "scales": [0.5, 1.0, 2.0, 4.0, 8.0],
            "losses": [2.28, 2.26, 2.23, 2.20, 2.24],
            "objective_before": 2.3,
            "objectives": [2.28, 2.26, 2.23, 2.20, 2.24],
            "products_by": "autograd",
        },
        "sharpness": {
            "largest": 0.5 * 2 / lr if lr else 1.0,
            "limit": 2 / lr if lr else None,
            "ratio": 0.5 if lr else None,
            "preconditioned": False,
            "rule": "2 / lr",
            "residual": 0.01,
            "error": 0.01,
            "noise": 1e-7,
            "products": 6,
            "products_by": "autograd",
        },
        "curvature": {
            "largest": 8.0,
            "smallest": -0.0001,
            "raw_smallest": -0.0001,
            "along_gradient": 2.0,
            "gradient_norm": 0.4,
            "residual": 0.01,
            "products": 24,
        },
        "held_out": {"curvature": 0.01},
    }


def audit(tensors: int = 6) -> dict[str, Any]:
    """Return what ``unstuck.attach.audit`` finds where all tensors are trained and used."""
    return {
        "held": tensors,
        "held_elements": 26_122,
        "reached": tensors,
        "outside": [],
        "outside_count": 0,
        "outside_elements": 0,
        "frozen": [],
        "frozen_count": 0,
        "frozen_elements": 0,
        "unreached": [],
        "unreached_count": 0,
        "unreached_elements": 0,
        "unchanged": [],
        "unchanged_count": 0,
        "no_gradient": [],
        "no_gradient_count": 0,
        "stale_norm": None,
        "raw_norm": 0.4,
        "used_norm": 0.4,
        "others": 0,
        "backwards": 1,
        "lr": [0.1],
    }


def numbers(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``unstuck.measure.layers`` finds at a layer that works as it should."""
    bounded = described["activation"] in ("sigmoid", "tanh")
    return {
        "pre_mean": 0.02,
        "pre_std": 0.9,
        "spread": 0.5,
        "out_spread": 0.4,
        "slope": 0.75,
        "saturated": 0.02 if bounded else None,
        "dead": 0.1 if described["activation"] == "relu" else None,
        "delta": 0.08,
        "units": described["units"],
        "delta_units": [0.001] * min(described["units"], 64),
        "weight": 6.0,
        "grad": 0.2,
        "update": 0.02,
        "update_ratio": 0.003,
        "gain": 0.58,
        "distinct": 0.99,
        "slope_factor": 0.75,
        "weight_factor": 1.3,
    }


@dataclass(frozen=True)
class Record:
    """A run to be written.

    Attributes:
        loss: Its losses, None for one that was not seen.
        lr: Its learning rate: a number, or one per step.
        optimizer: Class of its optimizer.
        group: Further hyper-parameters of the first group.
        layers: Its layers, as :func:`layer` describes them.
        probed: Steps of its probes.
        changes: What its probes measured instead of :func:`sound` values, by measurement; an entry that is None was not
            measured, one that can be called gets the number of the probe.
        failed: Why measurements are missing, the same in every probe.
        replay: How the replay of every probe went.
        events: Events, as the session writes them.
        errors: Errors of unstuck itself.
        overhead: What unstuck took.
        manifest: Further entries of the manifest.
    """

    loss: list[float | None] = field(default_factory=learns)
    lr: float | list[float] = 0.1
    optimizer: str = "SGD"
    group: dict[str, Any] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=lambda: stack(3))
    probed: tuple[int, ...] = STEPS
    changes: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    replay: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    overhead: dict[str, float] = field(default_factory=lambda: {"seconds": 0.4, "fraction": 0.021})
    manifest: dict[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> Record:
        """Return the same record with other arguments; ``measured`` is laid over the changes that are there."""
        under, over = changes.pop("changes", self.changes), changes.pop("measured", {})
        return replace(self, **changes, changes=_over(under, over))

    def measurements(self) -> list[dict[str, Any]]:
        """Return what every probe measured."""
        rate = max(self.lr, default=0.0) if isinstance(self.lr, list) else self.lr
        plan = _over(sound(self.layers, rate), self.changes)
        return [_filled(plan, number) for number in range(len(self.probed))]

    def write(self, folder: Path, spoil: Callable[[list[dict[str, Any]]], None] | None = None) -> Run:
        """Write the folder and read it back.

        Args:
            folder: Where.
            spoil: Changes the measurements before they are written.

        Returns:
            The run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps({"schema": 1, "probes": True, **self.manifest}))
        writer = Writer(folder, 0)
        measured = self.measurements()
        if spoil is not None:
            spoil(measured)
        self._head(writer)
        self._pulse(writer)
        self._probes(writer, measured)
        for event in self.events:
            writer.write("event", **event)
        for error in self.errors:
            writer.write("error", **error)
        writer.write("overhead", **self.overhead)
        writer.write("end", reason="exit", exception=None, steps=[len(self.loss)], time=9.0)
        writer.close()
        return read_run(folder)

    def run(self, spoil: Callable[[list[dict[str, Any]]], None] | None = None) -> Run:
        """Return the record as read from a folder that is gone afterwards."""
        with TemporaryDirectory() as folder:
            return self.write(Path(folder), spoil)

    def case(self) -> Case:
        """Return the record as the difficulties see it."""
        return cases_of(self.run())[0]

    def _rates(self) -> list[float]:
        return self.lr if isinstance(self.lr, list) else [self.lr] * len(self.loss)

    def _head(self, writer: Writer) -> None:
        writer.write("start", pid=1, rank=0, world_size=1, torch="2.13.0", device="cpu", threads=1, time="2026-11-20")
        about: dict[str, Any] = {
            "optimizer": 0,
            "class": self.optimizer,
            "parameters": 2 * len(self.layers),
            "elements": 26_122,
            "groups": [{"lr": (self._rates() or [0.1])[0], "momentum": 0, "weight_decay": 0, **self.group}],
            "file": "train.py",
            "line": OPTIMIZER,
            "step_file": None,
            "step_line": None,
        }
        writer.write("optimizer", **about)
        writer.write("event", name="first_step", step=0, optimizer=0, file="train.py", line=STEP)
        if self.layers:
            writer.write("layers", optimizer=0, layers=self.layers)

    def _pulse(self, writer: Writer) -> None:
        if not self.loss:
            return
        columns: dict[str, list[Any]] = {name: [None] * len(self.loss) for name in PULSE_COLUMNS}
        columns |= {"step": list(range(len(self.loss))), "time": [0.01 * i for i in range(len(self.loss))]}
        columns |= {"loss": list(self.loss), "lr": self._rates(), "wait": [0.0] * len(self.loss)}
        writer.write("pulse", optimizer=0, **columns)

    def _probes(self, writer: Writer, measured: list[dict[str, Any]]) -> None:
        for step, m in zip(self.probed, measured, strict=True):
            replay = {"ok": True, "why": None, "error": 0.0, "backwards": 1, "batch": 64, "scale": 1.0, **self.replay}
            writer.write(
                "probe",
                optimizer=0,
                step=step,
                time=0.01 * step,
                cost=0.02,
                replay=replay,
                m=m,
                failed={"decay": "there is no weight decay", **self.failed},
            )


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one tree of values over another."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _over(result[key], value) if both else value
    return result


def _filled(plan: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a probe's measurements by the plan, without those that are None."""
    return {name: value for name, entry in plan.items() if (value := _call(entry, number)) is not None}


def _call(entry: Any, number: int) -> Any:
    if callable(entry):
        return entry(number)
    if isinstance(entry, list):
        return [_call(value, number) for value in entry]
    if isinstance(entry, dict):
        return {key: _call(value, number) for key, value in entry.items()}
    return entry
