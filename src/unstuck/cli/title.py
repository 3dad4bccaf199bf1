"""The live line: the state of a run in the terminal's title, where no progress bar of the program can be hurt by it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_INTERVAL = 1.0
_PUSH, _POP = "\x1b[22;2t", "\x1b[23;2t"
# These show the escape sequence itself, or have no title.
_WITHOUT_TITLE = ("", "dumb", "linux", "unknown")


@contextlib.contextmanager
def live_title(folder: Path, quiet: bool) -> Iterator[None]:
    """Keep the terminal's title at the state of a run, and give the old title back at the end.

    Args:
        folder: The run folder.
        quiet: Do nothing.

    Yields:
        Once, while the title is live. Where standard error is no terminal that has a title, nothing happens.
    """
    if quiet or not _has_title():
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_keep_up, args=(folder, over), name="unstuck-title", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=2 * _INTERVAL)


def _has_title() -> bool:
    terminal = os.environ.get("TERM", "")
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and "NO_COLOR" not in os.environ
        and (terminal not in _WITHOUT_TITLE)
    )


def _keep_up(folder: Path, over: threading.Event) -> None:
    """Write the title about once a second. An error ends the live line and nothing else."""
    pushed = False
    with contextlib.suppress(Exception):
        while not over.wait(_INTERVAL):
            if not _in_foreground():
                continue
            from unstuck.report.live import status_line  # a short program ends before this is needed

            line = "".join(c for c in status_line(folder) or "" if c.isprintable())
            _write(("" if pushed else _PUSH) + f"\x1b]2;{line}\x07")
            pushed = True
    if pushed:
        with contextlib.suppress(OSError):
            _write(_POP)


def _in_foreground() -> bool:
    """Whether the terminal is ours to write to: a job in the background leaves it alone."""
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except OSError:
        return False


def _write(text: str) -> None:
    """Write in one piece, past Python's buffers, so that it cannot mix with a line of the program."""
    os.write(sys.stderr.fileno(), text.encode("utf-8", "replace"))
