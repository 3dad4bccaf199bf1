"""``unstuck fix``: watch a program, then try the remedies in controlled trials and print the one that is proven."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.attach import launcher
from unstuck.cli.command import say
from unstuck.cli.conclusion import conclude, judge, prepared, show_trials
from unstuck.cli.program import begin, launch
from unstuck.cli.title import live_title
from unstuck.config import read_config
from unstuck.errors import UsageError
from unstuck.record import folder, manifest
from unstuck.settings import Settings

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis
    from unstuck.record import Run
    from unstuck.trials.arm import Arm
    from unstuck.trials.budget import RaceSettings
    from unstuck.trials.engines.engine import Engine

_ENGINES = ("local", "ray")
_BUDGET, _SEEDS = 3.0, 3
#: Seeds of the confirmation begin after that of the screening.
_FIRST_SEED = 2
_INTERRUPTED = 130
#: Share of the watched run that measuring may take, and seconds in any case.
_MEASURING, _FLOOR = 0.25, 10.0


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
        _check(arguments)
        config = read_config({"dir": arguments.dir, "quiet": arguments.quiet})
        engine = _engine(arguments.engine, arguments.slots)
        if arguments.resume:
            place = folder.find(arguments.resume, config.dir).absolute()
            _return_to(place)
        else:
            settings = begin(arguments.program, config.dir, _settings)
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
        try:
            return _race(place, arguments, engine, config.quiet)
        finally:
            engine.close()


def _settings(run_dir: Path) -> Settings:
    """Return settings that measure more than 'unstuck run' does: the trials will take far longer than that."""
    return Settings(run_dir, budget=_MEASURING, floor=_FLOOR, printed=True)


def _check(arguments: argparse.Namespace) -> None:
    if bool(arguments.resume) == bool(arguments.program):
        what = "no command to fix" if not arguments.resume else "either a run is resumed or a command is run"
        raise UsageError(f"{what}; for example: unstuck fix -- python train.py, or unstuck fix --resume latest")
    if arguments.engine not in _ENGINES:
        raise UsageError(f"--engine is one of {', '.join(_ENGINES)}; got {arguments.engine!r}")
    if arguments.trials_budget is not None and not arguments.trials_budget > 0:
        raise UsageError(f"--trials-budget is a number above 0, such as 3; got {arguments.trials_budget:g}")
    if arguments.seeds is not None and arguments.seeds < 2:
        raise UsageError(f"--seeds is a whole number of 2 or more: one pair has no interval; got {arguments.seeds}")
    if arguments.metric is not None:
        from unstuck.trials.chosen import asked

        asked(arguments.metric, arguments.target)
    elif arguments.target is not None:
        raise UsageError(f'--target is a level of a metric: --metric "val accuracy" --target {arguments.target}')


def _engine(name: str, slots: int | None) -> Engine:
    if name == "ray":
        from unstuck.trials.engines.ray import RayEngine

        return RayEngine(slots=slots)
    from unstuck.trials.engines.local import LocalEngine

    return LocalEngine(slots)


def _return_to(place: Path) -> None:
    """Go to the folder that the program was started in: its trials are to find what it found."""
    where = str(manifest.read(place).get("cwd") or "")
    if not Path(where).is_dir():
        raise UsageError(f"the folder that {place.name} was started in is not there any more: {where or 'unknown'}")
    os.chdir(where)


def _steps(place: Path) -> int:
    from unstuck.record import read_run

    return read_run(place).steps


def _race(place: Path, arguments: argparse.Namespace, engine: Engine, quiet: bool) -> int:
    from unstuck.cli.progress import progress
    from unstuck.trials.race import run_race
    from unstuck.trials.table_file import read_table

    run, diagnosis = judge(place)
    if read_table(place / "trials"):
        settings, arms = _resumed(place, arguments)
    else:
        settings, arms = _planned(run, diagnosis, arguments)
    if not arms:
        say("no trials: no finding of this run has a remedy that can be tried from outside")
        show_trials(run, diagnosis, quiet=quiet)
        return 0
    began = time.monotonic()
    with progress(quiet) as note:
        table = run_race(settings, arms, engine, note)
    run, diagnosis = judge(place)
    show_trials(run, diagnosis, quiet=quiet)
    if table.state == "interrupted":
        say(f"interrupted after {time.monotonic() - began:.0f} s; 'unstuck fix --resume {place.name}' goes on")
        return _INTERRUPTED
    return 0


def _resumed(place: Path, arguments: argparse.Namespace) -> tuple[RaceSettings, list[Arm]]:
    """Return the race of a run as it was begun: other settings would make another race of it."""
    from unstuck.trials.race import resumed

    given = [name for name in ("trials_budget", "seeds", "metric", "target") if getattr(arguments, name) is not None]
    if given:
        raise UsageError(f"--{given[0].replace('_', '-')} cannot be changed once trials have begun; leave it out")
    return resumed(place / "trials")


def _plateau(run: Run, diagnosis: Diagnosis) -> float | None:
    """Return the loss of the best constant prediction where the run is stuck there, None where it is not."""
    from unstuck.difficulties.course import read_course

    course = read_course(run.pulse[0], run.of(0))
    if diagnosis.verdict.state != "stuck" or course is None or course.signed or course.constant is None:
        return None
    return course.constant if 0 < 0.9 * course.constant < course.end else None


def _planned(run: Run, diagnosis: Diagnosis, arguments: argparse.Namespace) -> tuple[RaceSettings, list[Arm]]:
    from unstuck.remedies.proposals import propose
    from unstuck.trials.arm import Arm
    from unstuck.trials.budget import RaceSettings
    from unstuck.trials.chosen import asked, chosen

    pulse = run.pulse.get(0)
    if pulse is None or not len(pulse):
        return RaceSettings(run.path / "trials", (), 0, 0.0), []
    seconds = float(run.manifest.get("seconds") or pulse.time[-1])
    settings = RaceSettings(
        folder=run.path / "trials",
        command=tuple(run.manifest["command"]),
        steps=int(pulse.step[-1]) + 1,
        seconds=seconds,
        startup=max(0.0, seconds - float(pulse.time[-1] - pulse.time[0])),
        slots=None,
        budget_factor=arguments.trials_budget or _BUDGET,
        plateau=_plateau(run, diagnosis),
        seeds=tuple(range(_FIRST_SEED, _FIRST_SEED + (arguments.seeds or _SEEDS))),
        metric=chosen(asked(arguments.metric, arguments.target), run.path) if arguments.metric is not None else None,
    )
    return settings, [Arm(proposal.remedies, proposal.difficulty) for proposal in propose(run, diagnosis)]
