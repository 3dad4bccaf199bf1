"""Made-up runs for the tests of the reports: folders written by the real writer, numbers plausible."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.difficulties.finding import Cost, Diagnosis, Finding, NotMeasured, Overhead, State, Verdict, Where
from unstuck.record import Run, read_run
from unstuck.record.writer import Writer

Case = tuple[Run, Diagnosis]


def write_run(
    folder: Path,
    *,
    layers: dict[str, int],
    loss: np.ndarray,
    lr: np.ndarray | float = 0.1,
    probes: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    command: list[str] | None = None,
    file: str = "train.py",
    exception: str | None = None,
    ended: bool = True,
) -> Run:
    """Write a run folder through the real writer and read it back."""
    writer = Writer(folder, 0)
    manifest = {
        "schema": 1,
        "command": command or ["python", "train.py", "--epochs", "3"],
        "program": (command or ["python", "train.py"])[1],
        "unstuck": "0.1.0",
        "python": "3.11.9",
        "cpu": {"model": "Imaginary 9000", "count": 2},
        "platform": "Linux 6.1 x86_64",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    writer.write(
        "start", pid=1, rank=0, world_size=1, torch="2.13.0", device="cpu", threads=1, time="2026-11-20T18:00:00Z"
    )
    writer.write("layers", layers=[_layer(name, units, file, 10 + i) for i, (name, units) in enumerate(layers.items())])
    writer.write(
        "optimizer",
        optimizer=0,
        parameters=2 * len(layers),
        elements=26_380,
        groups=[{"lr": float(np.ravel(lr)[0])}],
        file=file,
        line=31,
        step_file=file,
        step_line=40,
        **{"class": "SGD"},
    )
    steps = np.arange(len(loss))
    for part in np.array_split(steps, max(1, len(steps) // 100)) if len(steps) else []:
        rates = np.broadcast_to(lr, len(loss))[part].tolist()
        nothing = [None] * len(part)
        writer.write(
            "pulse",
            optimizer=0,
            step=part.tolist(),
            time=(part * 0.012).tolist(),
            loss=loss[part].tolist(),
            lr=rates,
            grad_norm=nothing,
            clipped_norm=nothing,
            wait=[0.0] * len(part),
        )
    for probe in probes or []:
        writer.write("probe", optimizer=0, time=probe["step"] * 0.012, cost=0.03, **probe)
    for event in events or []:
        writer.write("event", **event)
    writer.write("overhead", seconds=0.31, fraction=0.021)
    if ended:
        end = {"reason": "exception", "exception": exception} if exception else {"reason": "exit", "exception": None}
        writer.write("end", steps=len(loss), time=len(loss) * 0.012, **end)
    writer.close()
    return read_run(folder)


def _layer(name: str, units: int, file: str, line: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "Linear",
        "kind": "linear",
        "shape": [units, 30],
        "units": units,
        "activation": "sigmoid",
        "parameters": [f"{name}.weight", f"{name}.bias"],
        "file": file,
        "line": line,
    }


def probe(step: int, layers: dict[str, int], delta: Callable[[int, int], float], **more: Any) -> dict[str, Any]:
    """Make a probe whose layer ``i`` has the gradient size ``delta(i, step)``, its units drawn around it."""
    rng = np.random.default_rng(step)
    measured = {}
    for i, (name, units) in enumerate(layers.items()):
        size = delta(i, step)
        parts = np.abs(rng.normal(size=min(units, 64)))
        parts = parts / np.linalg.norm(parts) * (size if math.isfinite(size) else 1.0)
        measured[name] = {"delta": size, "delta_units": parts.tolist(), "slope": 0.8}
    return {
        "step": step,
        "replay": {"ok": True, "why": "", "error": 1e-7},
        "m": {"layers": measured, **more},
        "failed": {},
    }


def probe_steps(count: int, last: int) -> list[int]:
    """Return ``count`` steps as the budget chooses them: 0, 1, 2, 4, 8 ..., then evenly apart."""
    early = [0, *(2**i for i in range(20) if 2**i < last)]
    late = np.linspace(early[-1] if len(early) < count else 0, last, max(count, 2)).astype(int).tolist()
    return sorted({*early[:count], *late})[: max(count, 1)]


def deep(step: int, constant: float = 2.3026, falling: float = 0.0) -> dict[str, Any]:
    """Make the measurements of the surface at ``step``."""
    largest = 1.25 + 0.4 * math.sin(step / 90) + step / 900
    scales = [0.0, 0.5, 1.0, 2.0, 4.0]
    best = 2.6 + falling
    losses = [2.3 + 0.02 * ((s - best) ** 2 - best**2) / best for s in scales]
    return {
        "sharpness": {
            "largest": largest,
            "limit": 20.0,
            "ratio": largest / 20,
            "preconditioned": False,
            "rule": "gradient descent: 2 / lr",
        },
        "curvature": {
            "largest": largest,
            "smallest": -3.7e-3 * (1 + step / 300),
            "along_gradient": -2e-3 + step * 1e-5,
        },
        "along_update": {"slope": -0.01, "curvature": 0.003, "optimum": best, "scales": scales, "losses": losses},
        "baseline": {"loss_kind": "cross-entropy", "constant": constant, "classes": 10},
    }


def _diagnosis(state: State, sentence: str, *findings: Finding, missing: tuple[NotMeasured, ...] = ()) -> Diagnosis:
    return Diagnosis(Verdict(state, sentence), findings, missing, Overhead(0.021, 0.31))


FOUR = {"net.0": 30, "net.2": 30, "net.4": 30, "net.6": 30, "net.8": 10}


def stuck(folder: Path) -> Case:
    """Four sigmoid layers at the best constant guess, on a saddle, with too small a step and too much decay."""
    steps = np.arange(500)
    loss = 2.3026 + 0.9 * np.exp(-steps / 14) + np.random.default_rng(0).normal(scale=0.012, size=500)
    chosen = probe_steps(24, 499)
    probes = [
        probe(s, FOUR, lambda i, t: 3e-3 * 5.2**i * math.exp(-t / 160) + 1e-7, **deep(s, falling=s / 40))
        for s in chosen
    ]
    run = write_run(folder, layers=FOUR, loss=loss, probes=probes)
    here = Where(file="train.py", line=31)
    saddle = Finding(
        "step-too-small",
        "cause",
        0.93,
        "The step is 16 times below the stability limit (sharpness 1.25, limit 20), and the loss still falls 27 steps "
        "ahead in the same direction: the network is on a saddle and leaves it too slowly.",
        here,
        Cost(6.3, 5.1, 7.4),
        {"sharpness": 1.2513, "limit": 20.0, "optimum": 27.4, "steps_on_plateau": 480},
        ("lr=1.0 instead of lr=0.1", "torch.optim.Adam(model.parameters(), lr=1e-3)"),
        ("saddle", "vanishing-gradient"),
        64,
    )
    decay = Finding(
        "weight-decay-too-strong",
        "cause",
        0.81,
        "Weight decay shrinks the first three layers faster than their gradient grows them (0.5 % against 0.04 %).",
        here,
        Cost(math.inf, 3.0, math.inf),
        {"pull": 5e-3, "push": 4e-4},
        ("weight_decay=1e-4 instead of 5e-3",),
        (),
        128,
    )
    symptom = Finding(
        "saddle",
        "symptom",
        0.9,
        "The gradient is small (1.1e-2) and one direction curves downwards (-3.7e-3).",
        step=70,
        evidence={"gradient_norm": 0.011, "smallest": -3.7e-3},
    )
    vanishing = Finding(
        "vanishing-gradient",
        "symptom",
        0.97,
        "The first layer's gradient is 122 times smaller than the last hidden one's.",
        Where("net.0", file="model.py", line=12),
        evidence={"ratio": 122.4},
        step=0,
    )
    note = Finding("unscaled-inputs", "note", 0.4, "Inputs have mean 0.13 and deviation 0.31; this is not far off.")
    missing = (
        NotMeasured("gradient noise", "the whole data set is one batch"),
        NotMeasured("time spent waiting for data", "no DataLoader was used"),
    )
    sentence = "The loss has stayed at 2.303, that of the best constant guess, for 436 of 500 steps."
    return run, _diagnosis("stuck", sentence, saddle, decay, symptom, vanishing, note, missing=missing)


def healthy(folder: Path) -> Case:
    """A run whose loss falls by two decades under a warm-up and cosine schedule."""
    steps = np.arange(6000)
    noise = np.exp(np.random.default_rng(1).normal(scale=0.25, size=6000))
    rate = 1e-3 * np.minimum(steps / 300, 0.5 + 0.5 * np.cos(np.pi * steps / 6000)) + 1e-6
    layers = {"conv1": 16, "conv2": 32, "fc1": 128, "fc2": 10}
    chosen = probe_steps(40, 5999)
    probes = [probe(s, layers, lambda i, t: 0.2 / (1 + t / 400) * (1 + 0.2 * i), **deep(s)) for s in chosen]
    run = write_run(folder, layers=layers, loss=2.4 * np.exp(-steps / 1400) * noise + 0.01, lr=rate, probes=probes)
    note = Finding(
        "still-improving", "note", 0.8, "The loss still fell by 4 % over the last tenth of the run.", step=5400
    )
    return run, _diagnosis("healthy", "The loss fell from 2.4 to 0.03 and nothing slows it down.", note)


def diverged(folder: Path) -> Case:
    """A run that explodes and ends in NaN with an exception."""
    steps = np.arange(120)
    loss = 2.3 * np.exp(np.maximum(0, steps - 20) * 0.6)
    loss[75:80] = np.inf
    loss[80:] = np.nan
    layers = {"0": 128, "2": 128, "4": 10}
    probes = [
        probe(s, layers, lambda i, t: math.exp(t / 3) if t < 64 else math.nan, **deep(s))
        for s in (0, 1, 2, 4, 8, 16, 32, 64)
    ]
    probes[-1]["m"]["not_finite"] = {"where": "forward", "layer": "4", "kind": "inf", "file": "train.py", "line": 9}
    events = [{"name": "not_finite", "step": 75}]
    run = write_run(
        folder, layers=layers, loss=loss, lr=5.0, probes=probes, events=events, exception="ValueError: NaN in logits"
    )
    cause = Finding(
        "step-too-large",
        "cause",
        0.99,
        "The sharpness is 12 times the stability limit, so each step overshoots.",
        Where(file="train.py", line=31),
        Cost(math.inf, math.inf, math.inf),
        {"ratio": 12.0},
        ("lr=0.4 instead of lr=5",),
        ("not-finite", "exploding-gradient"),
        21,
    )
    symptom = Finding("not-finite", "symptom", 1.0, "The loss became infinite at step 75.", Where("4"), step=75)
    return run, _diagnosis("diverged", "The loss became NaN at step 80.", cause, symptom)


def empty(folder: Path) -> Case:
    """A program in which nothing was trained."""
    run = write_run(folder, layers={}, loss=np.array([]), ended=False)
    run.optimizers.clear()
    return run, _diagnosis("unknown", "No training was seen in this program.")


EVIL = "<script>alert(1)</script>[red]&\"'|`*_]]></style>\x1b[31m\u202e\x00"


def hostile(folder: Path) -> Case:
    """A program whose every name tries to break out of the report."""
    layers = {EVIL: 8, f"{EVIL}{EVIL}": 70, "[bold]x[/bold]": 4}
    probes = [probe(s, layers, lambda i, t: 0.1 * (i + 1), **deep(s)) for s in (0, 1, 2, 4)]
    probes[1]["failed"] = {EVIL: EVIL}
    probes[2]["m"]["sharpness"]["rule"] = EVIL
    run = write_run(
        folder,
        layers=layers,
        loss=np.linspace(3, 1, 40),
        probes=probes,
        command=["python", f"{EVIL}.py", EVIL],
        file=f"{EVIL}.py",
        exception=EVIL,
    )
    run.errors.append({"where": EVIL, "step": 3, "traceback": f"Traceback\n  File {EVIL}\n{EVIL}"})
    where = Where(EVIL, EVIL, f"{EVIL}.py", 3)
    cause = Finding(
        EVIL, "cause", 0.5, EVIL, where, Cost(2.0, 1.5, 3.0), {EVIL: [EVIL, math.nan]}, (EVIL,), ("s" + EVIL,), 3
    )
    symptom = Finding("s" + EVIL, "symptom", 0.5, EVIL, where, step=4)
    note = Finding("note", "note", 0.5, EVIL, where, step=5)
    return run, _diagnosis("wrong", EVIL, cause, symptom, note, missing=(NotMeasured(EVIL, EVIL),))


def large(folder: Path) -> Case:
    """Sixty layers with long names, 300 probes, and many findings near one another."""
    layers = {
        f"encoder.layers.{i // 4}.{('self_attn.in_proj', 'self_attn.out_proj', 'linear1', 'linear2')[i % 4]}": 512
        for i in range(60)
    }
    chosen = probe_steps(300, 250_000)
    rng = np.random.default_rng(2)
    wave = [
        probe(s, layers, lambda i, t: 10 ** (-6 + i / 15 + 0.5 * math.sin(t / 30_000)), **deep(s // 400))
        for s in chosen
    ]
    loss = 8 / (1 + np.arange(250_001) / 20_000) + rng.normal(scale=0.3, size=250_001) ** 2
    loss[123_456] = 60.0
    run = write_run(folder, layers=layers, loss=loss, lr=3e-4, probes=wave)
    found = [
        Finding(f"loss-spikes-{i}", "cause", 0.5, "A spike.", Where(f"encoder.layers.{i}"), step=120_000 + 900 * i)
        for i in range(12)
    ]
    return run, _diagnosis("slow", "The loss falls, but " + "very " * 30 + "slowly.", *found)


def single(folder: Path) -> Case:
    """One layer of one unit, one step, one probe: every axis has a single point."""
    probes = [probe(0, {"fc": 1}, lambda i, t: 0.5, **deep(0))]
    run = write_run(folder, layers={"fc": 1}, loss=np.array([0.7]), probes=probes)
    return run, _diagnosis("unknown", "One step is too little to judge.")


#: Every made-up run by name.
CASES: dict[str, Callable[[Path], Case]] = {
    case.__name__: case for case in (stuck, healthy, diverged, empty, hostile, large, single)
}
