"""One line about a run in progress, read from the end of its file: its length does not matter."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from unstuck.record.jsonl import decode
from unstuck.report.words import count, duration, number

_TAIL = 65536


def status_line(path: Path | str) -> str:
    """Return one short line about the run in folder ``path``: steps, loss, learning rate, time, speed.

    Args:
        path: The run folder, which may still be empty.

    Returns:
        A line such as ``step 1 234   loss 0.53   lr 1e-3   12 s   104 steps/s``.
    """
    files = sorted(Path(path).glob("rank0*.jsonl"), key=lambda file: file.stat().st_size)
    records = _tail(files[-1]) if files else []
    pulses = [r for r in records if r.get("kind") == "pulse" and r.get("step")]
    if not pulses:
        return "no optimizer step seen yet"
    pulse = pulses[-1]
    own = [r for r in pulses if r["optimizer"] == pulse["optimizer"]]
    times, steps = _column(own, "time"), _column(own, "step")
    parts = [f"step {count(int(steps[-1]) + 1)}"]
    parts += [f"{name} {number(value)}" for name in ("loss", "lr") if (value := _last(pulse[name])) is not None]
    parts.append(duration(times[-1]))
    if times[-1] > times[0]:
        parts.append(f"{number((steps[-1] - steps[0]) / (times[-1] - times[0]))} steps/s")
    return "   ".join([*parts, "ended"] if any(r.get("kind") == "end" for r in records) else parts)


def _column(records: list[dict[str, Any]], name: str) -> list[float]:
    return [math.nan if value is None else float(value) for record in records for value in record[name]]


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _tail(file: Path) -> list[dict[str, Any]]:
    """Read records from the end of the file, further back until a pulse is among them."""
    size = file.stat().st_size
    length = _TAIL
    while True:
        with file.open("rb") as stream:
            stream.seek(max(0, size - length))
            lines = stream.read().split(b"\n")
        records = [record for line in lines if (record := _record(line))]
        if length >= size or any(record.get("kind") == "pulse" for record in records):
            return records
        length *= 4


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = decode(json.loads(line))
    except ValueError:
        return None  # torn: the first line of the tail, or the one being written
    return record if isinstance(record, dict) else None
