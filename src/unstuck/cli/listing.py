"""``unstuck list``: the runs in a folder. A module called ``list`` would hide Python's own from its package."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from unstuck.cli.command import say
from unstuck.config import read_config
from unstuck.record import activity, manifest
from unstuck.record.folder import runs


@dataclass(frozen=True, slots=True)
class Row:
    """One run: its name, program and start, how it was judged, how far it got, how it ended (None: not known)."""

    run: str
    program: str
    started: str
    state: str | None
    steps: int | None
    exit_code: int | None
    signal: str | None


class List:
    """List the runs in a folder, the newest first.

    The state is the verdict of the last report, or 'running', or 'check passed' and 'check failed' after 'unstuck
    check', or 'killed' where unstuck itself was ended before the program; 'unstuck report RUN' judges such a run too.
    """

    name = "list"
    examples = """\
examples:
  unstuck list
  unstuck list ../other/unstuck-runs
  unstuck list --json | jq '.[0].state'
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "where", metavar="DIR", nargs="?", help="folder that holds the runs (default: unstuck-runs)"
        )
        parser.add_argument("--json", action="store_true", help="print a JSON list for other programs")

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the table.

        Args:
            arguments: The command line.

        Returns:
            0; an empty list is no error.
        """
        base = read_config({"dir": arguments.where}).dir
        rows = [_row(folder) for folder in runs(base)]
        if arguments.json:
            print(json.dumps([asdict(row) for row in rows], indent=1))
        elif rows:
            _print_table(rows)
        else:
            say(f"there are no runs in {base}; 'unstuck run -- COMMAND' makes one")
        return 0


def _row(folder: Path) -> Row:
    about = manifest.read(folder)
    return Row(
        folder.name,
        str(about.get("program", "")),
        str(about.get("started", "")),
        "running" if manifest.is_running(about) else _state(folder) or (None if "finished" in about else "killed"),
        activity.steps_so_far(folder),
        about.get("exit_code"),
        about.get("signal"),
    )


def _state(folder: Path) -> str | None:
    """Return what was last said of the run, None where nothing was."""
    report = manifest.read_object(folder / "report.json").get("verdict")
    if isinstance(report, dict) and "state" in report:
        return str(report["state"])
    passed = manifest.read_object(folder / "check.json").get("passed")
    return None if passed is None else "check passed" if passed else "check failed"


def _print_table(rows: list[Row]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("run", overflow="fold")
    table.add_column("program", overflow="fold")
    table.add_column("when")
    table.add_column("state")
    table.add_column("steps", justify="right")
    table.add_column("exit", justify="right")
    for row in rows:
        # Text, not str: square brackets in a name are not markup.
        steps = "-" if row.steps is None else f"{row.steps:,}"
        ended = row.signal or ("-" if row.exit_code is None else str(row.exit_code))
        cells = (row.run, row.program, _when(row.started), row.state or "-", steps, ended)
        table.add_row(*(Text(cell) for cell in cells))
    # A pipe has no width: there nothing is folded, so that grep finds whole names.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


def _when(started: str) -> str:
    """Return the start in the reader's own time zone."""
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return "-"
