"""A run read, judged and reported: what every command and every function of ours says of it is said here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis
    from unstuck.record import Run


def judge(folder: Path) -> tuple[Run, Diagnosis]:
    """Read a run, judge it and write ``report.html``, ``report.md`` and ``report.json`` into its folder.

    Args:
        folder: The run folder.

    Returns:
        The run, and what is to be said about it.
    """
    # Late: numpy and the templates take longer to import than a short program takes to run.
    from unstuck.difficulties import diagnose
    from unstuck.record import read_run
    from unstuck.report import write_reports
    from unstuck.report.trials import with_trials

    run = read_run(folder)
    diagnosis = with_trials(run, diagnose(run))
    write_reports(run, diagnosis)
    return run, diagnosis
