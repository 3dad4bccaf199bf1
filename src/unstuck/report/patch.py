"""``remedy.patch``: the edits of the best proven arm as a file. Nobody applies it but the reader."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.report import words

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.report.trials import TrialArm, Trials

NAME = "remedy.patch"


@dataclass(frozen=True)
class Patch:
    """A patch in a run folder.

    Attributes:
        path: The file.
        command: What applies it, from the folder that the reader is in now.
    """

    path: Path
    command: str


def write_patch(run: Run, trials: Trials | None) -> None:
    """Write the patch of the best proven arm into the run folder; take one away that is another arm's.

    Where the arm has no diff any more, since its edits are in the program by now, the patch stays.

    Args:
        run: The run.
        trials: Its trials.

    Raises:
        OSError: The folder cannot be written.
    """
    from unstuck.report import replace

    best = trials.proven[0] if trials is not None and trials.proven else None
    if best is not None and best.diff:
        replace(run.path / NAME, f"{_head(best)}\n{best.diff}")
    elif patch_of(run, trials) is None:
        (run.path / NAME).unlink(missing_ok=True)


def patch_of(run: Run, trials: Trials | None) -> Patch | None:
    """Return the patch of the best proven arm that is in the run folder, None where there is none.

    Args:
        run: The run.
        trials: Its trials.
    """
    path = run.path / NAME
    if trials is None or not trials.proven or not path.is_file():
        return None
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return Patch(path, _command(run, path)) if first == _head(trials.proven[0]) else None


def _head(arm: TrialArm) -> str:
    """Return the first line of a patch, which programs that apply patches pass over."""
    return f"# {words.clean(arm.label)}"


def _command(run: Run, path: Path) -> str:
    here, started = Path.cwd(), Path(run.manifest.get("cwd") or ".")
    if started.is_dir() and here.samefile(started):
        return f"git apply {shlex.quote(os.path.relpath(path))}"
    return f"git -C {shlex.quote(str(started))} apply {shlex.quote(str(path.absolute()))}"
