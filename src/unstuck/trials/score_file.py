"""The errors of outputs that a trial has noted, read from their file."""

from __future__ import annotations

from pathlib import Path

from unstuck.record import jsonl


def read_score(file: Path) -> tuple[list[int], list[float]]:
    """Read what ``score.note`` has written.

    Args:
        file: The file.

    Returns:
        The steps that count, from 0, and the error of the outputs at each.
    """
    steps: list[int] = []
    errors: list[float] = []
    for record in jsonl.read(file):
        steps += record["step"]
        errors += record["error"]
    return steps, errors
