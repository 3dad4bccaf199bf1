"""The line of the program that calls the optimizer's step: where edits of the training loop belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.record import Run


def step_place(run: Run) -> tuple[str, int] | None:
    """Return the line that called the main optimizer's step, None where it was not seen.

    Args:
        run: The watched run.
    """
    for event in run.events:
        if event.get("name") == "first_step" and event.get("optimizer") == run.main_optimizer.index:
            file, line = event.get("file"), event.get("line")
            return (str(file), int(line)) if file and line else None
    return None


def named(place: tuple[str, int] | None) -> str:
    """Return the place of a step as it reads in a sentence: ``the step at train.py:30``."""
    return "the optimizer's step" if place is None else f"the step at {place[0]}:{place[1]}"
