"""Runs an experiment, and writes its page and its numbers."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from unstuck.errors import UnstuckError
from unstuck.lab.experiment import Experiment, Performed, Setting
from unstuck.record.manifest import write_whole


def perform(experiment: Experiment, setting: Setting) -> Performed:
    """Run one experiment; an error in it is an outcome.

    Args:
        experiment: The experiment.
        setting: How.
    """
    began = time.perf_counter()
    try:
        outcome, problem = experiment.run(setting), ""
    except UnstuckError as error:
        outcome, problem = None, str(error)
    except Exception as error:
        traceback.print_exc()
        outcome, problem = None, f"{type(error).__name__}: {error}"
    return Performed(experiment, setting, outcome, time.perf_counter() - began, problem)


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
    write_whole(folder / f"{name}.json", json.dumps(numbers if name == "all" else numbers[0], indent=1) + "\n")
    page = folder / f"{name}.html"
    write_whole(page, render(performed))
    return page
