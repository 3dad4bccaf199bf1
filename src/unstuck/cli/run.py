"""``unstuck run``: watch a program, and say at its end what made its training slow or stuck."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from unstuck.attach import launcher
from unstuck.cli.conclusion import conclude, fails, prepared
from unstuck.cli.program import begin, launch
from unstuck.cli.title import live_title
from unstuck.config import FAIL_ON, Config, read_config
from unstuck.errors import UsageError
from unstuck.settings import Settings


class Run:
    """Watch a program and say what makes its training slow or stuck.

    COMMAND is what starts the training: 'python train.py', 'python -m package', 'torchrun ...', 'accelerate
    launch ...', 'pytest'. It runs as without unstuck: same arguments, folder, input, output, signals and exit code,
    and the very same training, bit by bit. What unstuck says goes to standard error, after the program's end.
    The record and the report are kept in unstuck-runs/.
    """

    name = "run"
    examples = """\
examples:
  unstuck run -- python train.py --epochs 3
  unstuck run -- torchrun --nproc-per-node 2 train.py
  unstuck run --budget 0.1 -- python -m package   measure more often: up to 10 % of the time
  unstuck run --fail-on stuck -- python train.py  in CI: exit code 3 if the training is stuck or worse

settings:
  Every option has a variable (UNSTUCK_BUDGET, UNSTUCK_FAIL_ON, UNSTUCK_PROBES=0, ...) and a key in [tool.unstuck] of
  pyproject.toml or in unstuck.toml (budget, floor, probes, dir, fail-on, quiet). Options go before variables,
  variables before files.

exit code:
  The program's own. With --fail-on: 3 if the program succeeded and the verdict is that bad.
  127: command not found. 126: it cannot be executed. 2: wrong usage.
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.usage = "unstuck run [options] -- COMMAND ..."
        parser.add_argument(
            "--budget", metavar="F", help="share of the run time that measuring may take (default: 0.03)"
        )
        parser.add_argument("--floor", metavar="S", help="seconds that measuring may take in any case (default: 1.5)")
        parser.add_argument(
            "--no-probes",
            dest="probes",
            action="store_const",
            const=False,
            help="measure no step in depth: note loss, learning rate, gradient norm and times only",
        )
        parser.add_argument("--dir", metavar="DIR", help="folder that the runs are kept in (default: unstuck-runs)")
        parser.add_argument(
            "--fail-on",
            metavar="STATE",
            help=f"exit with code 3 if the verdict is at least this bad: {', '.join(FAIL_ON)}",
        )
        parser.add_argument(
            "--quiet",
            action="store_const",
            const=True,
            help="one line at the end instead of the report, and nothing in the terminal's title",
        )
        parser.add_argument("program", nargs=argparse.REMAINDER, metavar="COMMAND ...", help=argparse.SUPPRESS)

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the program, then report.

        Args:
            arguments: The command line.

        Returns:
            The exit code.

        Raises:
            UsageError: No command was given, or a setting is wrong.
        """
        command: list[str] = arguments.program
        if not command:
            raise UsageError("no command to run; for example: unstuck run -- python train.py")
        config = read_config(vars(arguments))
        settings = begin(command, config.dir, partial(_settings, config))
        with live_title(settings.run_dir, config.quiet), prepared():
            outcome = launch(command, settings)
        state = conclude(settings.run_dir, quiet=config.quiet)
        if outcome.signal is not None:
            launcher.die_of(outcome.signal)
        return outcome.exit_code or (3 if fails(state, config.fail_on) else 0)


def _settings(config: Config, run_dir: Path) -> Settings:
    fault = os.environ.get("UNSTUCK_FAULT", "")
    return Settings(run_dir, budget=config.budget, floor=config.floor, probes=config.probes, fault=fault)
