"""How far a race of trials is, as a bar on a terminal, else as a line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from unstuck.cli.command import say

if TYPE_CHECKING:
    from unstuck.trials.race import Progress

#: Seconds between two lines where there is no terminal.
_LINES_APART = 30.0


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Show how far a race is on standard error.

    Args:
        quiet: Show nothing.

    Yields:
        What is to be called with the progress.
    """
    if quiet:
        yield lambda _: None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _bar() as note:
            yield note
    else:
        yield _lines()


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("trials", total=None, text="")

        def note(at: object) -> None:
            done, known, text = _words(at)  # type: ignore[arg-type]
            bars.update(task, completed=done, total=known, text=text)

        yield note


def _lines() -> Callable[[Progress], None]:
    last = [-_LINES_APART]

    def note(at: Progress) -> None:
        now = time.monotonic()
        if now - last[0] >= _LINES_APART:
            last[0] = now
            done, known, text = _words(at)
            say(f"trials {done} of {known}: {text}")

    return note


def _words(at: Progress) -> tuple[int, int, str]:
    """Return trials done, trials known to be needed, and the stage with the time that it may still take."""
    left = max(at.seconds_left, 0.0)
    wait = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
    return at.done, at.known, f"{at.stage or 'ending'}, at most {wait} left"
