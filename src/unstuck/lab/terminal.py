"""What an experiment shows, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unstuck.lab.experiment import Experiment, Performed
from unstuck.report import words

_WORDS = {True: ("agrees", "green"), False: ("differs", "red"), None: ("", "dim")}


def show_all(experiments: Sequence[Experiment]) -> None:
    """Print the list of experiments.

    Args:
        experiments: All of them.
    """
    console = Console()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for experiment in experiments:
        table.add_row(Text(experiment.name, "bold"), experiment.title)
    console.print(table)
    console.print("\n'unstuck lab NAME' runs one, 'unstuck lab all --quick' all in short form.", style="dim")


def show(performed: Sequence[Performed], page: Path) -> None:
    """Print what was seen, and the numbers beside the published ones.

    Args:
        performed: The experiments that were run.
        page: Their page.
    """
    console = Console()
    for one in performed:
        console.print()
        console.print(Text(one.experiment.title, "bold"))
        if one.outcome is None:
            console.print(Text(f"it could not be run: {one.problem}", "red"))
            continue
        if len(performed) == 1:
            console.print(Text(" ".join(one.outcome.seen)))
        console.print(_numbers(one))
        for note in one.outcome.notes if len(performed) == 1 else ():
            console.print(Text(note, "dim"))
    console.print()
    console.print(Text(f"page  {page}   ({words.duration(sum(one.seconds for one in performed))})", "dim"))


def _numbers(one: Performed) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "published", "here", "spread", ""):
        table.add_column(name, justify="left" if name in ("", "spread") else "right")
    for row in one.outcome.comparisons if one.outcome else ():
        known = f"{row.published}{' (remembered)' if row.published and row.sure == 'remembered' else ''}"
        table.add_row(Text(row.what), Text(known), Text(row.shown), Text(row.spread, "dim"), Text(*_WORDS[row.agrees]))
    return table
