"""What the program prints of itself: its lines with numbers, and the step at which it printed them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"[^\W\d]\D*\d")
#: Characters of a line that are kept, and lines of a trial: no metric is behind them.
_LENGTH, _MOST = 500, 50_000


def note(done: Callable[[], int], file: Path) -> None:
    """Note the lines with words and numbers that go to the standard streams, which print them as ever.

    Progress bars, which write their line anew again and again, are left out.

    Args:
        done: Tells the steps that the optimizer has done whose they are counted by.
        file: Gets a JSON line for each: ``{"step": 120, "text": "val_acc: 0.93"}``.
    """
    if os.environ.get("RANK", "0") != "0":  # of a distributed run one process speaks for all
        return
    notes = _Notes(done, file)
    for stream in (sys.stdout, sys.stderr):
        write = getattr(stream, "write", None)
        if write is not None:
            try:
                stream.write = _noting(write, notes)  # type: ignore[method-assign]
            except AttributeError:
                continue  # a stream that takes no attributes


class _Notes:
    """The lines, as they are completed."""

    def __init__(self, done: Callable[[], int], file: Path) -> None:
        self._done = done
        self._path = file
        self._descriptor: int | None = None  # a bare number: nothing to close when the process is ended
        self._left = _MOST

    def line(self, text: str) -> None:
        """Write down a line of the program if there is a number in it, after a word."""
        if self._left <= 0 or "\r" in text or not _NUMBER.search(text):
            return
        self._left -= 1
        with contextlib.suppress(OSError):  # the disk is full, or the folder gone
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            line = json.dumps({"step": self._done(), "text": text.strip()[:_LENGTH]})
            os.write(self._descriptor, f"{line}\n".encode())


def _noting(write: Callable[[str], int], notes: _Notes) -> Callable[[str], int]:
    """Return a stream's ``write`` that hands on whole lines, of which ``print`` writes the parts one by one."""
    begun: list[str] = []

    def noting(text: Any) -> int:
        written = write(text)
        begun.append(text)
        if "\n" in text:
            *whole, rest = "".join(begun).split("\n")
            begun[:] = [rest] if rest else []
            for line in whole:
                notes.line(line)
        elif len(begun) > _LENGTH:
            begun.clear()
        return written

    return noting
