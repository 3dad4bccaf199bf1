"""Starts programs with and without ``unstuck run``, so that the two can be compared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import unstuck

UNSTUCK = (sys.executable, "-m", "unstuck")
_SOURCE = str(Path(unstuck.__file__).absolute().parents[1])


def environment(**more: str) -> dict[str, str]:
    """The environment of every program that a test starts: ours is importable, nothing else of unstuck is set."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UNSTUCK_")}
    return {**clean, "PYTHONPATH": _SOURCE, "PYTHONDONTWRITEBYTECODE": "1", **more}


def _hears_ctrl_c() -> None:
    """Undo what a shell does to commands in the background: they, and all that they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(
    command: Sequence[str], cwd: Path, env: dict[str, str] | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    pipes.setdefault("preexec_fn", _hears_ctrl_c)
    return subprocess.Popen(list(command), cwd=cwd, env=env or environment(), **pipes)


def finish(process: subprocess.Popen[bytes], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    out, err = process.communicate(stdin, timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def plain(command: Sequence[str], cwd: Path, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    return finish(start(command, cwd, **options), stdin)


def watched(
    command: Sequence[str], cwd: Path, stdin: bytes = b"", flags: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[bytes]:
    return finish(start([*UNSTUCK, "run", *flags, "--", *command], cwd, **options), stdin)


def only_run(cwd: Path) -> Path:
    """The run folder, of which there is one."""
    (manifest,) = cwd.glob("unstuck-runs/*/manifest.json")
    return manifest.parent
