"""How far a run got: cheap looks at a run folder, without reading the record as a whole and without numpy."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unstuck.record import jsonl, manifest

_TAIL = 1 << 16


def why_nothing_was_seen(folder: Path) -> str | None:
    """Return one sentence that says why a run has no training steps in it, or None where it has some.

    Args:
        folder: The run folder.

    Returns:
        The sentence, for a person; or None.
    """
    kinds = set()
    for file in folder.glob("rank*.jsonl"):
        for record in jsonl.read(file):
            kinds.add(record.get("kind"))
            if record.get("kind") == "pulse" or (record.get("kind") == "end" and record.get("skipped_steps")):
                return None
    if "optimizer" in kinds:
        return "no training was seen: an optimizer was made, but its step() was never called"
    processes = {str(record.get("kind")): record for record in _processes(folder)}
    if errors := sorted(folder.glob("attach-error-*.txt")):
        last = errors[0].read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        return f"unstuck could not attach to the program ({last}); the traceback is in {errors[0]}"
    if "torch" in processes:
        return "no training was seen: PyTorch was imported, but no optimizer of torch.optim was used"
    if "nested" in processes:
        return f"this command runs 'unstuck run' itself; the inner run was watched: {processes['nested'].get('run')}"
    if "python" in processes:
        return "no training was seen: the program did not import PyTorch"
    return _why_no_python(manifest.read(folder))


def python_processes(folder: Path) -> list[int]:
    """Return the ids of the Python processes that a run's command has started, also of those that have ended."""
    found = (record.get("pid") for record in _processes(folder) if record.get("kind") == "python")
    return [pid for pid in found if isinstance(pid, int)]


def note_nested(outer: Path, inner: Path) -> None:
    """Tell an outer run that a run inside it is recorded in a folder of its own."""
    line = jsonl.dumps({"kind": "nested", "pid": os.getpid(), "run": str(inner)}) + "\n"
    with (outer / "processes.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)


def steps_so_far(folder: Path) -> int | None:
    """Return the number of optimizer steps as the last lines of the record tell it; None where they do not."""
    last: dict[int, int] = {}
    for record in _tail(folder):
        if record.get("kind") == "end" and isinstance(record.get("steps"), int):
            return int(record["steps"])
        if record.get("kind") == "pulse" and record.get("step"):
            last[int(record["optimizer"])] = int(record["step"][-1]) + 1
    return sum(last.values()) if last else None


def _processes(folder: Path) -> Iterator[dict[str, Any]]:
    file = folder / "processes.jsonl"
    return jsonl.read(file) if file.is_file() else iter(())


def _tail(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the last records of the file of the first process."""
    files = sorted(folder.glob("rank0*.jsonl"), key=lambda file: file.stat().st_size)
    if not files:
        return
    with files[-1].open("rb") as file:
        file.seek(max(0, files[-1].stat().st_size - _TAIL))
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:  # the first line is cut by the seek, the last perhaps by the writer
                continue
            if isinstance(record, dict):
                yield record


def _why_no_python(manifest: dict[str, Any]) -> str:
    command = [str(word) for word in manifest.get("command", [])]
    flags = _python_flags(command)
    if set("IES") & set(flags):
        return (
            f"no training was seen: {shlex.join(command[:2])} does not let unstuck in "
            "(Python's options -I, -E and -S switch off PYTHONPATH or site); run it without"
        )
    return "no training was seen: no Python process was started, or one that ignores PYTHONPATH"


def _python_flags(command: list[str]) -> str:
    """Return the letters of the interpreter's own options, where the command is a Python interpreter."""
    if not command or not re.fullmatch(r"(python|pypy)[\d.]*", Path(command[0]).name):
        return ""
    letters = ""
    for word in command[1:]:
        if not re.fullmatch(r"-[A-Za-z]+", word) or word in ("-c", "-m"):
            break
        letters += word
    return letters
