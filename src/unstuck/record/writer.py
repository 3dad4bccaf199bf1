"""The only writer of a rank's file: append a line, hand it to the operating system, never look back.

A line is handed over whole with one ``write`` on an unbuffered descriptor, so a process that is killed loses at most
the line it was about to write. Runs in the trained program: standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unstuck.record.jsonl import dumps


class Writer:
    """Append-only JSONL file of one process of a run.

    Args:
        folder: The run folder, made if it is missing.
        rank: Rank of this process (0 where there is only one).
    """

    def __init__(self, folder: Path, rank: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._descriptor = _create(folder, rank)

    def write(self, kind: str, **values: Any) -> None:
        """Append one record."""
        self.write_columns(kind, None, **values)

    def write_columns(self, kind: str, columns: Mapping[str, str] | None, **values: Any) -> None:
        """Append one record, of which ``columns`` are JSON already."""
        line = dumps({"kind": kind, **values}, columns) + "\n"
        os.write(self._descriptor, line.encode())

    def close(self) -> None:
        """Close the file; further writes raise ``OSError``."""
        os.close(self._descriptor)


def _create(folder: Path, rank: int) -> tuple[Path, int]:
    """Create ``rank<N>.jsonl``, or ``rank<N>-<k>.jsonl`` where an earlier process of the run has taken that name."""
    attempt = 1
    while True:
        path = folder / (f"rank{rank}.jsonl" if attempt == 1 else f"rank{rank}-{attempt}.jsonl")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
            return path, os.open(path, flags, 0o644)
        except FileExistsError:
            attempt += 1
