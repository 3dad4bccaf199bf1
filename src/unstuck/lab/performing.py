"""Runs an experiment, and writes its page and its numbers."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from unstuck.errors import UnstuckError
from unstuck.lab.experiment import Experiment, Outcome, Performed, Setting
from unstuck.record.manifest import write_whole


def perform(experiment: Experiment, setting: Setting) -> Performed:
    """Run one experiment; an error in it, or a number that is none, is an outcome.

    Args:
        experiment: The experiment.
        setting: How.
    """
    began = time.perf_counter()
    try:
        outcome: Outcome | None = experiment.run(setting)
        problem = _missing(outcome)
    except UnstuckError as error:
        outcome, problem = None, str(error)
    except Exception as error:
        traceback.print_exc()
        outcome, problem = None, f"{type(error).__name__}: {error}"
    return Performed(experiment, setting, None if problem else outcome, time.perf_counter() - began, problem)


def _missing(outcome: Outcome | None) -> str:
    """Return which number is NaN or infinite, in a sentence: neither can be compared, nor stand in JSON."""
    bad = [row for row in (outcome.comparisons if outcome else ()) if not math.isfinite(row.ours)]
    return f"{bad[0].what} came out as {bad[0].ours}" if bad else ""


def write(performed: Sequence[Performed], folder: Path, name: str) -> Path:
    """Write the page and the numbers of some experiments.

    Args:
        performed: The experiments.
        folder: Gets ``NAME.html`` and ``NAME.json``; made where it is not there.
        name: Name of both files.

    Returns:
        The page.
    """
    from unstuck.lab.page import render

    folder.mkdir(parents=True, exist_ok=True)
    numbers = [one.to_json() for one in performed]
    write_whole(folder / f"{name}.json", as_json(numbers if name == "all" else numbers[0]) + "\n")
    page = folder / f"{name}.html"
    write_whole(page, render(performed))
    return page


def as_json(value: object) -> str:
    """Return ``value`` as JSON that every reader takes: no NaN, no infinity.

    Args:
        value: Numbers and words.
    """
    return json.dumps(value, indent=1, allow_nan=False)
