"""``unstuck check``: the first steps of a program only, to see whether it does what it means to."""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.attach import launcher
from unstuck.attach.limit import TimeLimit
from unstuck.cli.command import say
from unstuck.cli.program import begin, launch
from unstuck.config import read_config
from unstuck.errors import UsageError
from unstuck.record import activity
from unstuck.settings import Settings

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.report.checklist import Checklist

_TIMEOUT = 60.0
#: Exit codes: a check failed; no optimizer step was seen, so that there is nothing to check.
_FAILED, _NOTHING = 3, 4
_STDERR = 2


class Check:
    """Check the first steps of a program: is it right before it is trained?

    Runs COMMAND for its first optimizer steps, measures them in depth, ends it before it saves anything, and answers
    one question per line: the first loss, the gradient, the parameters, one batch learned by heart (on a copy),
    examples kept apart, inputs, targets, labels, modes, precision. What the program prints goes to standard error.
    """

    name = "check"
    examples = """\
examples:
  unstuck check -- python train.py
  unstuck check --json -- python train.py | jq '.checks[] | select(.status == "fail")'
  unstuck check --junit check.xml -- python -m package --epochs 1
  unstuck check --timeout 300 -- torchrun --nproc-per-node 2 train.py

exit code:
  0: no check failed. 3: a check failed. 4: no optimizer step was seen. The program's own where it failed.
  127: command not found. 126: it cannot be executed. 2: wrong usage.
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.usage = "unstuck check [options] -- COMMAND ..."
        parser.add_argument("--json", action="store_true", help="print JSON for other programs instead of lines")
        parser.add_argument("--junit", metavar="FILE", help="write a JUnit XML file for CI as well")
        parser.add_argument(
            "--timeout",
            metavar="SECONDS",
            type=float,
            default=_TIMEOUT,
            help="end the program after this time in any case (default: 60)",
        )
        parser.add_argument("--dir", metavar="DIR", help="folder that the runs are kept in (default: unstuck-runs)")
        parser.add_argument("--quiet", action="store_const", const=True, help="print only what failed, and the count")
        parser.add_argument("program", nargs=argparse.REMAINDER, metavar="COMMAND ...", help=argparse.SUPPRESS)

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the first steps, then judge them.

        Args:
            arguments: The command line.

        Returns:
            The exit code.

        Raises:
            UsageError: No command was given, or a setting is wrong.
        """
        command: list[str] = arguments.program
        if not command:
            raise UsageError("no command to check; for example: unstuck check -- python train.py")
        if not arguments.timeout > 0:
            raise UsageError(f"--timeout is a number of seconds above 0, such as 60; got {arguments.timeout:g}")
        config = read_config({"dir": arguments.dir, "quiet": arguments.quiet})
        settings = begin(command, config.dir, _settings)
        place = settings.run_dir
        limit = TimeLimit(arguments.timeout, partial(activity.python_processes, place))
        # What the program prints must not stand among the lines that are read by another program.
        outcome = launch(command, settings, stdout=_STDERR, limit=limit)
        run, checklist = _judge(place, outcome, limit)
        _write(place / "check.json", _json(run, checklist))
        if arguments.junit:
            from unstuck.report.checklist import to_junit

            _write(Path(arguments.junit), to_junit(run, checklist))
        _show(run, checklist, as_json=arguments.json, quiet=config.quiet)
        return _exit_code(run, checklist)


def _settings(run_dir: Path) -> Settings:
    return Settings(run_dir, fault=os.environ.get("UNSTUCK_FAULT", ""), check=True)


def _judge(place: Path, outcome: launcher.Outcome, limit: TimeLimit) -> tuple[Run, Checklist]:
    # Late: numpy takes longer to import than wrong usage takes to be refused.
    from unstuck.checks import judge
    from unstuck.difficulties import diagnose
    from unstuck.record import read_run
    from unstuck.report.checklist import Checklist

    run = read_run(place)
    checks = judge(run, diagnose(run).findings)
    ended_by_us = (run.end or {}).get("reason") == "check"
    ending = "check" if ended_by_us else "timeout" if limit.reached else "crash" if outcome.exit_code else "exit"
    remark = _remark(run, place, ending, outcome, limit)
    return run, Checklist(checks, ending, outcome.exit_code, round(outcome.seconds, 3), remark)


def _remark(run: Run, place: Path, ending: str, outcome: launcher.Outcome, limit: TimeLimit) -> str | None:
    if ending == "crash":
        raised = (run.end or {}).get("exception")
        how = f"signal {outcome.signal}" if outcome.signal else f"exit code {outcome.exit_code}"
        return f"The program failed after {run.steps} steps, with {how}{f': {raised}' if raised else ''}."
    if ending == "timeout" and not run.steps:
        return (
            f"No optimizer step was seen within {limit.seconds:g} s, so the program was ended; "
            f"'--timeout SECONDS' gives it more time."
        )
    if not run.steps:
        why = activity.why_nothing_was_seen(place) or "no optimizer step was seen"
        return f"Nothing could be checked: {why}."
    if ending == "timeout":
        return f"The program was ended after {limit.seconds:g} s, with {run.steps} steps seen."
    errors = len(run.errors)
    return f"unstuck itself failed {errors} times; the tracebacks are in {place}." if errors else None


def _json(run: Run, checklist: Checklist) -> str:
    from unstuck.report.checklist import to_json

    return json.dumps(to_json(run, checklist), indent=1, ensure_ascii=False) + "\n"


def _show(run: Run, checklist: Checklist, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        sys.stdout.write(_json(run, checklist))
        return
    from dataclasses import replace

    from rich.console import Console

    from unstuck.report import checked

    if quiet:
        failed = tuple(check for check in checklist.checks if check.status == "fail")
        checked.show(run, replace(checklist, checks=failed), Console(), counted=checklist)
    else:
        checked.show(run, checklist, Console())


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        say(f"cannot write {file}: {error.strerror}")


def _exit_code(run: Run, checklist: Checklist) -> int:
    if checklist.ending == "crash":
        return checklist.exit_code
    if not run.steps:
        return _NOTHING
    return _FAILED if checklist.count("fail") else 0
