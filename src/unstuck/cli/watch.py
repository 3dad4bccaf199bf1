"""``unstuck watch``: look at a run that goes on, from another terminal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from unstuck.config import read_config
from unstuck.record import manifest
from unstuck.record.folder import find

_INTERVAL = 0.5


class Watch:
    """Look at a run that goes on, from another terminal.

    Shows how far the training got and how its loss moves, until the run ends or Ctrl-C; neither touches the run.
    """

    name = "watch"
    examples = """\
RUN is the path of a run folder, its name below unstuck-runs, the beginning or end of its name, or 'latest'.

examples:
  unstuck watch                                   the latest run
  unstuck watch 3fa9
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("which", metavar="RUN", nargs="?", default="latest", help="which run (default: latest)")

    def run(self, arguments: argparse.Namespace) -> int:
        """Show the run until it ends.

        Args:
            arguments: The command line.

        Returns:
            0.
        """
        folder = find(arguments.which, read_config({}).dir)
        try:
            if sys.stdout.isatty():
                _show_live(folder)
            else:
                _print_changes(folder)
        except KeyboardInterrupt:
            return 0
        print(_ending(folder))
        return 0


def _states(folder: Path) -> Iterator[str]:
    """Yield the run's state twice a second until the run has ended, and once after that."""
    from unstuck.report.live import status_line

    running = True
    while running:
        # Asked before the look, so that the last look is at the whole run.
        running = manifest.is_running(manifest.read(folder))
        yield status_line(folder)
        if running:
            time.sleep(_INTERVAL)


def _show_live(folder: Path) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(auto_refresh=False) as live:
        for state in _states(folder):
            live.update(Text(f"{folder.name}\n{state}"), refresh=True)


def _print_changes(folder: Path) -> None:
    """Print a line for every change: standard output is a file or a pipe."""
    print(folder.name, flush=True)
    last = None
    for state in _states(folder):
        if state != last:
            print(state, flush=True)
        last = state


def _ending(folder: Path) -> str:
    about = manifest.read(folder)
    how = about.get("signal") or f"exit code {about.get('exit_code')}" if "finished" in about else "killed"
    return f"the run has ended ({how}); 'unstuck report {folder.name}' shows the verdict"
