"""``manifest.json``: what is known about a run without looking into the program, written at its start and its end."""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from unstuck import __version__
from unstuck.record.schema import VERSION
from unstuck.settings import Settings

_NAME = "manifest.json"


def begin(settings: Settings, command: Sequence[str], program: str) -> dict[str, Any]:
    """Write the manifest of a run that is about to start.

    Args:
        settings: Settings of the run; the manifest goes into its ``run_dir``.
        command: The command line, word by word.
        program: Short name of the program.

    Returns:
        What was written.
    """
    manifest = {
        "schema": VERSION,
        "unstuck": __version__,
        "command": list(command),
        "cwd": os.getcwd(),  # noqa: PTH109  (as os has it, links and all)
        "program": program,
        "started": _now(),
        "watcher": {"pid": os.getpid(), "host": socket.gethostname()},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": {"model": _cpu_model(), "count": os.cpu_count()},
        "budget": settings.budget,
        "floor": settings.floor,
        "probes": settings.probes,
        "check": settings.check,
    }
    _write(settings.run_dir, manifest)
    return manifest


def finish(folder: Path, *, exit_code: int | None, signal: str | None, seconds: float) -> None:
    """Add how the run ended: its exit code as a shell gives it, the signal that killed it, and how long it took."""
    end = {"exit_code": exit_code, "signal": signal, "seconds": round(seconds, 3), "finished": _now()}
    _write(folder, {**read(folder), **end})


def read(folder: Path) -> dict[str, Any]:
    """Return the manifest, empty where there is none that can be read."""
    return read_object(folder / _NAME)


def read_object(file: Path) -> dict[str, Any]:
    """Return what a JSON file of a run folder holds, empty where there is no object that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_running(manifest: dict[str, Any]) -> bool:
    """Whether the run goes on: it has no end, and its watcher lives (on another host: cannot be seen, so it may)."""
    if "finished" in manifest:
        return False
    watcher = manifest.get("watcher", {})
    if watcher.get("host") != socket.gethostname():
        return True
    try:
        os.kill(int(watcher["pid"]), 0)
    except PermissionError:  # it lives, as another user's
        return True
    except (OSError, KeyError):
        return False
    return True


def write_whole(file: Path, text: str) -> None:
    """Write beside the file, then rename: a reader sees the old one or the new one, never half of one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _write(folder: Path, manifest: dict[str, Any]) -> None:
    write_whole(folder / _NAME, json.dumps(manifest, indent=1) + "\n")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def _cpu_model() -> str:
    """Return the processor's name where the system gives it at once, else the architecture."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.machine()
