"""The table of a race as a file: apart from what fills it, so that a report of a run without trials imports no more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unstuck.record import jsonl
from unstuck.record.manifest import read_object

NAME = "table.json"


def read_table(folder: Path) -> Mapping[str, Any]:
    """Return the table of a race as JSON with its numbers as numbers; empty where there is none."""
    table: Mapping[str, Any] = jsonl.decode(read_object(folder / NAME))
    return table
