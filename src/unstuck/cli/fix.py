"""``unstuck fix``: watch a program, then try the remedies in controlled trials and print the one that is proven."""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.attach import launcher
from unstuck.cli.command import say
from unstuck.cli.conclusion import conclude, prepared, show_trials
from unstuck.cli.program import begin, launch
from unstuck.cli.title import live_title
from unstuck.config import read_config
from unstuck.errors import UsageError
from unstuck.fixing.choices import Choices
from unstuck.fixing.judgement import judge
from unstuck.fixing.race import interrupted, race, watched_settings, why_none
from unstuck.record import folder, manifest

if TYPE_CHECKING:
    from unstuck.trials.engines.engine import Engine

_INTERRUPTED = 130


class Fix:
    """Watch a program, then prove by controlled trials what makes its training faster.

    COMMAND is what starts the training, as for 'unstuck run', which is done first. Then the remedies that the findings
    name, and a few that are always worth a try, are tried one by one on the same program, from outside: losers are
    dropped early, the best are combined, and the winner is confirmed against the program as it is on fresh seeds. What
    is printed as proven reaches the same loss sooner with 95 % confidence; how to write it is said with its line.

    Trials leave your files alone: what the program saves goes to the trial's own folder in unstuck-runs/, experiment
    trackers are off, and no file of yours is edited.
    """

    name = "fix"
    examples = """\
examples:
  unstuck fix -- python train.py --epochs 3
  unstuck fix --metric "val accuracy" --target 0.96 -- python train.py   what reaches that accuracy sooner
  unstuck fix --trials-budget 10 -- python train.py   trials may take ten times as long as the program
  unstuck fix --slots 4 -- python train.py            four trials at a time
  unstuck fix --engine ray -- python train.py         on a Ray cluster; needs unstuck[ray]
  unstuck fix --resume latest                         go on after Ctrl-C, or try remedies on a run of 'unstuck run'

exit code:
  0 once the trials are done, whatever they show. The program's own, where it fails before.
  130 after Ctrl-C: what is done is kept. 2: wrong usage.
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.usage = "unstuck fix [options] -- COMMAND ..."
        parser.add_argument(
            "--trials-budget",
            metavar="F",
            type=float,
            help="how long the trials may take, in lengths of the program, on each slot (default: 3)",
        )
        parser.add_argument("--engine", metavar="NAME", default="local", help="local (default) or ray")
        parser.add_argument(
            "--slots", metavar="N", type=int, help="trials at a time (default: one per GPU, else one per core)"
        )
        parser.add_argument(
            "--seeds", metavar="N", type=int, help="fresh seeds that the winner is confirmed on, 2 or more (default: 3)"
        )
        parser.add_argument(
            "--metric",
            metavar="NAME",
            help="race by a metric that the program prints, such as 'val accuracy' (default: by the training loss)",
        )
        parser.add_argument(
            "--target", metavar="X", help="level of the metric that is to be reached (default: the program's own)"
        )
        parser.add_argument("--resume", metavar="RUN", help="go on with the trials of a run, or begin them")
        parser.add_argument("--dir", metavar="DIR", help="folder that the runs are kept in (default: unstuck-runs)")
        parser.add_argument("--quiet", action="store_const", const=True, help="no progress, and one line at the end")
        parser.add_argument("program", nargs=argparse.REMAINDER, metavar="COMMAND ...", help=argparse.SUPPRESS)

    def run(self, arguments: argparse.Namespace) -> int:
        """Watch the program unless a run is resumed, then race the remedies.

        Args:
            arguments: The command line.

        Returns:
            The exit code.

        Raises:
            UsageError: A setting is wrong, or there is no command, or there is nothing to resume.
        """
        if bool(arguments.resume) == bool(arguments.program):
            what = "no command to fix" if not arguments.resume else "either a run is resumed or a command is run"
            raise UsageError(f"{what}; for example: unstuck fix -- python train.py, or unstuck fix --resume latest")
        choices = Choices(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Choices)})
        choices.check(_flag)
        config = read_config({"dir": arguments.dir, "quiet": arguments.quiet})
        engine = choices.open_engine()
        try:
            if arguments.resume:
                place = folder.find(arguments.resume, config.dir).absolute()
                _return_to(place, choices)
                return _race(place, choices, engine, config.quiet)
            settings = begin(arguments.program, config.dir, watched_settings)
            place = settings.run_dir
            with live_title(place, config.quiet), prepared():
                outcome = launch(arguments.program, settings)
            state = conclude(place, quiet=config.quiet)
            if outcome.signal is not None:
                launcher.die_of(outcome.signal)
            if outcome.exit_code:
                say(f"no trials: the program ended with exit code {outcome.exit_code}; they need one that runs")
                return outcome.exit_code
            if state == "unknown" and not _steps(place):
                return 0  # what was said of the run says why
            return _race(place, choices, engine, config.quiet)
        finally:
            engine.close()


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _return_to(place: Path, choices: Choices) -> None:
    """Go to the folder that the program was started in: its trials are to find what it found."""
    from unstuck.trials.table_file import read_table

    # Other settings would make another race of it.
    given = [name for name in ("trials_budget", "seeds", "metric", "target") if getattr(choices, name) is not None]
    if given and read_table(place / "trials"):
        raise UsageError(f"{_flag(given[0])} cannot be changed once trials have begun; leave it out")
    where = str(manifest.read(place).get("cwd") or "")
    if not Path(where).is_dir():
        raise UsageError(f"the folder that {place.name} was started in is not there any more: {where or 'unknown'}")
    os.chdir(where)


def _steps(place: Path) -> int:
    from unstuck.record import read_run

    return read_run(place).steps


def _race(place: Path, choices: Choices, engine: Engine, quiet: bool) -> int:
    from unstuck.cli.progress import progress

    began = time.monotonic()
    with progress(quiet) as note:
        table = race(place, choices, engine, note)
    run, diagnosis = judge(place)
    if table is None:
        say(f"no trials: {why_none(run)}")
    show_trials(run, diagnosis, quiet=quiet)
    if table is not None and table.state == "interrupted":
        say(interrupted(place, time.monotonic() - began))
        return _INTERRUPTED
    return 0
