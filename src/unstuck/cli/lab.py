"""``unstuck lab``: the experiments of the literature."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.cli.command import say
from unstuck.errors import UsageError

if TYPE_CHECKING:
    from unstuck.lab.experiment import Experiment, Performed

_DEVICES = ("cpu", "cuda", "mps")


class Lab:
    """Run the experiments of the literature, with the published number beside ours.

    Without a name, all experiments are listed. With one, it is run, its numbers are printed, and its page is written
    to unstuck-lab/NAME.html. 'all' runs all of them and writes one page with a table.
    """

    name = "lab"
    examples = """\
examples:
  unstuck lab                                     all experiments, with what each shows
  unstuck lab two-spirals --quick                 the short form, at most 20 seconds
  unstuck lab depth-accuracy --seed 7
  unstuck lab all --quick                         all of them, one page with a table

exit code:
  0, also where a number differs from the published one; 1 where an experiment could not be run.
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("which", metavar="NAME", nargs="?", help="an experiment, or 'all' (default: list them)")
        parser.add_argument("--quick", action="store_true", help="the short form: fewer or shorter repetitions")
        parser.add_argument(
            "--seed", metavar="N", type=int, default=0, help="seed of the first repetition (default: 0)"
        )
        parser.add_argument("--device", metavar="NAME", default="cpu", help="cpu (default), cuda or mps")
        parser.add_argument("--out", metavar="DIR", type=Path, default=Path("unstuck-lab"), help="folder of the pages")
        parser.add_argument("--json", action="store_true", help="print the numbers as JSON")

    def run(self, arguments: argparse.Namespace) -> int:
        """List the experiments, or run those that are asked for.

        Args:
            arguments: The command line.

        Returns:
            0; 1 where one could not be run.

        Raises:
            UsageError: There is no such experiment or device.
        """
        from unstuck.lab.catalogue import EXPERIMENTS
        from unstuck.lab.terminal import show, show_all

        if arguments.which is None:
            if arguments.json:
                print(
                    json.dumps([{"name": e.name, "title": e.title, "source": e.source} for e in EXPERIMENTS], indent=1)
                )
            else:
                show_all(EXPERIMENTS)
            return 0
        chosen = _chosen(arguments.which, EXPERIMENTS)
        _check_device(arguments.device)
        performed = [_perform(experiment, arguments) for experiment in chosen]
        page = _write(performed, arguments)
        if arguments.json:
            numbers = [one.to_json() for one in performed]
            print(json.dumps(numbers if arguments.which == "all" else numbers[0], indent=1))
        else:
            show(performed, page)
        return int(any(one.outcome is None for one in performed))


def _perform(experiment: Experiment, arguments: argparse.Namespace) -> Performed:
    from unstuck.lab.experiment import Setting
    from unstuck.lab.performing import perform

    say(f"{experiment.name}: {experiment.title}")
    setting = Setting(arguments.quick, arguments.seed, lambda text: say(f"  {text}"), arguments.device)
    return perform(experiment, setting)


def _write(performed: Sequence[Performed], arguments: argparse.Namespace) -> Path:
    from unstuck.lab.performing import write

    return write(performed, arguments.out, "all" if arguments.which == "all" else performed[0].experiment.name)


def _chosen(wanted: str, known: Sequence[Experiment]) -> Sequence[Experiment]:
    import difflib  # late: every command imports this file

    if wanted == "all":
        return known
    names = [experiment.name for experiment in known]
    plain = "-".join(wanted.lower().replace("_", " ").split())
    if plain in names:
        return [known[names.index(plain)]]
    near = [name for name in names if plain and plain in name] or difflib.get_close_matches(plain, names, 3, 0.5)
    advice = f"; did you mean {' or '.join(near[:3])}?" if near else ";"
    raise UsageError(f"there is no experiment {wanted!r}{advice} 'unstuck lab' lists all")


def _check_device(name: str) -> None:
    import torch

    if name not in _DEVICES:
        raise UsageError(f"--device is one of {', '.join(_DEVICES)}; got {name!r}")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise UsageError(f"--device {name}: torch sees no such device here; leave it out for the cpu")
