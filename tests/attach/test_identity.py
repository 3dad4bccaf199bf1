"""Watching changes nothing: output, exit code and final state of whole programs, compared bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unstuck
from tests.programs.catalogue import ALL, IDENTITY, Program

#: Runs a program with every generator seeded: those that it leaves to chance could not be compared.
SEEDED = Path(__file__).with_name("seeded.py")

#: They train without ``torch.optim``: there is nothing to see, and nothing may go wrong.
WITHOUT_OPTIMIZER = {"functional_ensemble", "polynomial_manual", "polynomial_manual --grad"}

#: The programs that stretch how training can be written, and then others, once: every fifth of them, or all with
#: ``UNSTUCK_TEST_ALL=1``, which takes a quarter of an hour.
_OTHERS = {program.file: program for program in reversed(ALL) if program.file not in {p.file for p in IDENTITY}}


def programs() -> list[Any]:
    others = sorted(_OTHERS.values(), key=lambda p: p.file)
    chosen = others if os.environ.get("UNSTUCK_TEST_ALL") else others[::5]
    return [
        *(pytest.param(program, id=program.name) for program in IDENTITY),
        *(pytest.param(program, id=program.file, marks=pytest.mark.slow) for program in chosen),
    ]


def run(program: Program, folder: Path, *, watched: bool) -> subprocess.CompletedProcess[bytes]:
    folder.mkdir()
    before = [sys.executable, "-m", "unstuck", "run", "--quiet", "--"] if watched else []
    command = [*before, sys.executable, str(SEEDED), str(program.path), *program.args, "--seed", "0"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UNSTUCK_")}
    source = str(Path(unstuck.__file__).parents[1])
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    env = {**clean, **threads, "PYTHONPATH": source, "PROGRAM_STATE": str(folder / "state.pt")}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False, timeout=300)


def differences(a: Any, b: Any, where: str = "state") -> list[str]:
    """Return the places in which two states differ by as much as one bit."""
    if type(a) is not type(b):
        return [f"{where}: {type(a).__name__} and {type(b).__name__}"]
    if isinstance(a, torch.Tensor):
        same = a.dtype == b.dtype and a.shape == b.shape and a.layout == b.layout
        same = same and torch.equal(_bits(a), _bits(b))
        return [] if same else [f"{where}: {a.flatten()[:3]} and {b.flatten()[:3]}"]
    if isinstance(a, dict):
        if list(a) != list(b):
            return [f"{where}: keys {list(a)} and {list(b)}"]
        return [line for key in a for line in differences(a[key], b[key], f"{where}[{key!r}]")]
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return [f"{where}: {len(a)} and {len(b)} entries"]
        return [line for i, (x, y) in enumerate(zip(a, b, strict=True)) for line in differences(x, y, f"{where}[{i}]")]
    if isinstance(a, np.ndarray):
        return [] if a.dtype == b.dtype and a.tobytes() == b.tobytes() else [f"{where}: {a} and {b}"]
    same = repr(a) == repr(b) if isinstance(a, float) else a == b
    return [] if same else [f"{where}: {a!r} and {b!r}"]


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """Return the bytes of a tensor, so that NaN equals NaN and -0.0 does not equal 0.0."""
    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    return dense.contiguous().flatten().view(torch.uint8) if dense.numel() else dense.flatten()


@pytest.mark.parametrize("program", programs())
def test_a_program_does_not_notice(program: Program, tmp_path: Path) -> None:
    plain = run(program, tmp_path / "plain", watched=False)
    watched = run(program, tmp_path / "watched", watched=True)
    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout), watched.stderr.decode()
    assert plain.returncode == 0, plain.stderr.decode()
    states = [torch.load(tmp_path / name / "state.pt", weights_only=False) for name in ("plain", "watched")]
    assert differences(*states) == []
    (manifest,) = (tmp_path / "watched").glob("unstuck-runs/*/manifest.json")
    recorded = manifest.parent
    run_ = unstuck.load(recorded).run
    assert (run_.steps > 0) == (program.name.removeprefix("same: ") not in WITHOUT_OPTIMIZER)
    assert run_.errors == []
    assert not list(recorded.glob("attach-error-*"))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (torch.tensor([0.0]), torch.tensor([-0.0])),
        (torch.zeros(2), torch.zeros(1, 2)),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
        ({"x": [1, 2.0]}, {"x": [1, 2.0000000000000004]}),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}),
        (1, 1.0),
        (np.zeros(2), np.array([0.0, 5e-324])),
    ],
)
def test_the_comparison_sees_the_smallest_difference(a: Any, b: Any) -> None:
    assert differences(a, b) != []
    assert differences(a, a) == []


def test_the_comparison_takes_nan_as_equal_to_itself() -> None:
    state = {"loss": float("nan"), "weight": torch.tensor([float("nan")])}
    assert differences(state, {"loss": float("nan"), "weight": torch.tensor([float("nan")])}) == []
