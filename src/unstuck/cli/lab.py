"""``unstuck lab``: the experiments of the literature."""

from __future__ import annotations

import argparse
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
            UsageError: There is no such experiment or device, or the folder cannot be made.
        """
        from unstuck.lab.catalogue import EXPERIMENTS
        from unstuck.lab.performing import as_json
        from unstuck.lab.terminal import show, show_all

        if arguments.which is None:
            if arguments.json:
                print(as_json([{"name": e.name, "title": e.title, "source": e.source} for e in EXPERIMENTS]))
            else:
                show_all(EXPERIMENTS)
            return 0
        chosen = _chosen(arguments.which, EXPERIMENTS)
        _check_device(arguments.device)
        _check_seed(arguments.seed)
        _make(arguments.out)
        performed, page = _perform(chosen, arguments)
        if arguments.json:
            numbers = [one.to_json() for one in performed]
            print(as_json(numbers if arguments.which == "all" else numbers[0]))
        else:
            show(performed, page)
        return int(any(one.outcome is None for one in performed))


def _perform(chosen: Sequence[Experiment], arguments: argparse.Namespace) -> tuple[list[Performed], Path]:
    """Run the experiments one after the other, and write the page after each: Ctrl-C leaves those that are done."""
    from unstuck.lab.experiment import Setting
    from unstuck.lab.performing import perform, write
    from unstuck.report import words

    setting = Setting(arguments.quick, arguments.seed, lambda text: say(f"  {text}"), arguments.device)
    name = "all" if arguments.which == "all" else chosen[0].name
    performed: list[Performed] = []
    page = arguments.out / f"{name}.html"
    for number, experiment in enumerate(chosen, 1):
        say(f"{f'[{number}/{len(chosen)}] ' if name == 'all' else ''}{experiment.name}: {experiment.title}")
        performed.append(one := perform(experiment, setting))
        say(f"  {one.problem or one.verdict} ({words.duration(one.seconds)})")
        page = write(performed, arguments.out, name)
    return performed, page


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


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise UsageError(f"--seed is a whole number, 0 or more; got {seed}")


def _make(folder: Path) -> None:
    """Make the folder of the pages before the first experiment, which may take minutes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made ({error.strerror}); name a folder that can") from error
