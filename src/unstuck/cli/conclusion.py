"""What is said at the end of a run: diagnosis, reports, terminal. What fails in here never harms the program's end."""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.cli.command import say
from unstuck.config import FAIL_ON
from unstuck.fixing.judgement import judge
from unstuck.record import activity

if TYPE_CHECKING:
    from rich.console import Console

    from unstuck.difficulties.finding import Diagnosis
    from unstuck.record import Run

#: Seconds after the program's start at which the reports' code is imported.
_LEISURE = 2.0


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Import what :func:`conclude` needs while the program runs, so that nobody waits for it at the end.

    Yields:
        Once, while the program may run. One that ends at once, perhaps without training, is not kept waiting either.
    """
    timer = threading.Timer(_LEISURE, _import_reports)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _import_reports() -> None:
    with contextlib.suppress(Exception):  # conclude will meet the same error, and say it
        import unstuck.report.html  # noqa: F401
        import unstuck.report.markdown  # noqa: F401
        import unstuck.report.terminal  # noqa: F401


def conclude(folder: Path, *, quiet: bool) -> str:
    """Judge a run that has ended, write its reports, and show the verdict on standard error.

    Args:
        folder: The run folder.
        quiet: One line instead of the terminal report.

    Returns:
        The verdict's state; ``unknown`` where there is none.
    """
    try:
        why = activity.why_nothing_was_seen(folder)
        if why:
            say(why)
            return "unknown"
        return _report(folder, quiet)
    except KeyboardInterrupt:
        say(f"the report was interrupted; 'unstuck report {folder.name}' makes it")
    except Exception as error:
        _keep(folder, error)
    return "unknown"


def show(run: Run, diagnosis: Diagnosis, console: Console) -> None:
    """Show the terminal report on a console."""
    from unstuck.report import terminal, terminal_trials
    from unstuck.report.patch import patch_of
    from unstuck.report.trials import trials_of

    terminal.show(run, diagnosis, console)
    trials = trials_of(run)
    if trials is not None:
        terminal_trials.show(trials, diagnosis, console, patch_of(run, trials))


def show_trials(run: Run, diagnosis: Diagnosis, *, quiet: bool) -> None:
    """Show what the trials of a run have proven, on standard error.

    Args:
        run: The run.
        diagnosis: What its record says.
        quiet: One line.
    """
    from rich.console import Console

    from unstuck.report import terminal_trials
    from unstuck.report.patch import patch_of
    from unstuck.report.trials import trials_of

    trials = trials_of(run)
    if quiet:
        say(f"{terminal_trials.sentence(trials)} ({os.path.relpath(run.path / 'report.html')})")
    else:
        console = Console(stderr=True)
        terminal_trials.show(trials, diagnosis, console, patch_of(run, trials))
        console.print(f"\n{'report':<14}{os.path.relpath(run.path / 'report.html')}", highlight=False, soft_wrap=True)


def fails(state: str, fail_on: str | None) -> bool:
    """Whether a verdict is at least as bad as the one that ``--fail-on`` names; ``unknown`` counts only if named."""
    return fail_on is not None and state in FAIL_ON and FAIL_ON.index(state) >= FAIL_ON.index(fail_on)


def _report(folder: Path, quiet: bool) -> str:
    from rich.console import Console

    run, diagnosis = judge(folder)
    place = os.path.relpath(folder / "report.html")
    if quiet:
        say(f"{diagnosis.verdict.state}: {diagnosis.verdict.sentence} ({place})")
    else:
        show(run, diagnosis, Console(stderr=True))
    for file in sorted(folder.glob("attach-error-*.txt")):
        say(f"one process of the program was not watched; why is in {os.path.relpath(file)}")
    return diagnosis.verdict.state


def _keep(folder: Path, error: Exception) -> None:
    """Write an error of ours to the run folder and say so in one line; the record stays, so nothing is lost."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        file = folder / "report-error.txt"
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        say(f"the report could not be made ({text}); the record is kept, and the traceback is in {file}")
    except OSError:
        say(f"the report could not be made ({text}), and nothing can be written to {folder}")
