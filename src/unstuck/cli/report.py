"""``unstuck report``: judge a run again from its record."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from unstuck.cli.command import say
from unstuck.cli.conclusion import fails, show
from unstuck.config import FAIL_ON, read_config
from unstuck.fixing.judgement import judge
from unstuck.record import activity
from unstuck.record.folder import find


class Report:
    """Judge a run again from its record, and show the report.

    The diagnosis is made afresh from what was recorded, also for a run that was killed or goes on. report.html,
    report.md and report.json in the run's folder are written again.
    """

    name = "report"
    examples = """\
RUN is the path of a run folder, its name below unstuck-runs, the beginning or end of its name, or 'latest'.

examples:
  unstuck report                                  the latest run, in the terminal
  unstuck report 3fa9 --format json | jq .verdict
  unstuck report latest --format md > report.md
  open "$(unstuck report latest --format html)"   prints the path of report.html
  unstuck report latest --fail-on slow            exit code 3 if the verdict is slow or worse
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("which", metavar="RUN", nargs="?", default="latest", help="which run (default: latest)")
        parser.add_argument(
            "--format",
            choices=("terminal", "html", "md", "json"),
            default="terminal",
            help="what to print: the report for the terminal (default), the path of report.html, or report.md or "
            "report.json as they are",
        )
        parser.add_argument(
            "--fail-on",
            metavar="STATE",
            help=f"exit with code 3 if the verdict is at least this bad: {', '.join(FAIL_ON)}",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Judge the run, write and show the report.

        Args:
            arguments: The command line.

        Returns:
            0, or 3 where ``--fail-on`` says so.
        """
        from rich.console import Console

        config = read_config({"fail_on": arguments.fail_on})
        folder = find(arguments.which, config.dir)
        why = activity.why_nothing_was_seen(folder)
        if why:
            say(why)
        run, diagnosis = judge(folder)
        if arguments.format == "terminal":
            show(run, diagnosis, Console())
        elif arguments.format == "html":
            print(folder / "report.html")
        else:
            _print_file(folder / f"report.{arguments.format}")
        # The setting of a project is meant for "unstuck run"; here only the flag counts.
        return 3 if arguments.fail_on and fails(diagnosis.verdict.state, config.fail_on) else 0


def _print_file(file: Path) -> None:
    sys.stdout.write(file.read_text(encoding="utf-8"))
