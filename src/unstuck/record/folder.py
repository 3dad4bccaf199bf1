"""Run folders on disk: making one, listing them, and finding the one that a user means."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from unstuck.errors import UsageError
from unstuck.record import manifest

#: Folder that holds the runs, below the folder where the program was started.
DEFAULT = Path("unstuck-runs")

# "python -m MODULE" of these names a launcher; the program is the script after it.
_LAUNCHERS = frozenset({"torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch"})


def create(base: Path, program: str) -> Path:
    """Make a new, empty run folder.

    Args:
        base: Folder that holds the runs, made if it is missing; one that is made here is hidden from git.
        program: Name of the program, as :func:`program_name` gives it.

    Returns:
        The absolute path of ``<base>/<UTC yyyymmdd-hhmmss>-<program>-<4 hex>``, which did not exist before.

    Raises:
        UsageError: The folder cannot be made.
    """
    base = Path(os.path.abspath(base))  # noqa: PTH100  (resolve() would replace links that the user chose)
    try:
        _make_base(base)
        while True:
            stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
            folder = base / f"{stamp}-{program}-{secrets.token_hex(2)}"
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise UsageError(
            f"cannot make a run folder in {base} ({error.strerror}); '--dir DIR' or UNSTUCK_DIR chooses another place"
        ) from None


def _make_base(base: Path) -> None:
    """Make ``base``; only a folder of our own gets the ``.gitignore``, for it hides all that is beside it."""
    if base.is_dir():
        return
    base.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (base / ".gitignore").open("x") as file:
        file.write("*\n")


def program_name(command: Sequence[str]) -> str:
    """Return a short name for a command, fit for a folder: ``train`` for ``torchrun --nproc-per-node 2 train.py``."""
    name = Path(command[0]).name.removesuffix(".py")
    for position, word in enumerate(command[1:], start=1):
        if word.endswith(".py"):
            name = Path(word).stem
            break
        if word == "-m" and command[position + 1 : position + 2] and command[position + 1] not in _LAUNCHERS:
            name = command[position + 1]
            break
        if word == "-c":
            break
    return re.sub(r"[^\w.]+", "-", name)[:40].strip("-.") or "program"


def runs(base: Path) -> list[Path]:
    """Return the run folders in ``base``, the newest first."""
    if not base.is_dir():
        return []
    found = (file.parent for file in base.glob("*/manifest.json"))
    return sorted(found, key=lambda run: (str(manifest.read(run).get("started", "")), run.name), reverse=True)


def find(text: str, base: Path) -> Path:
    """Return the run folder that a user means.

    Args:
        text: Path of a run folder, its name, the beginning or the end of its name if only one fits, or ``latest``: the
            newest that is no check, if there is one.
        base: Folder that holds the runs.

    Returns:
        The run folder.

    Raises:
        UsageError: No run fits, or several do.
    """
    path = Path(text)
    if (path / "manifest.json").is_file():
        return path
    known = runs(base)
    if text == "latest" and known:
        # A check ends the program after its first steps: there is not much to report of it.
        return next((run for run in known if not manifest.read(run).get("check")), known[0])
    fitting = [run for run in known if run.name == text] or [
        run for run in known if run.name.startswith(text) or run.name.endswith(text)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(run.name for run in fitting[:4]) + (", ..." if len(fitting) > 4 else "")
        raise UsageError(f"{len(fitting)} runs fit {text!r}: {names}; write more of the name")
    if path.exists():
        raise UsageError(f"{text} is not a run folder: it has no manifest.json; 'unstuck list' shows the runs")
    if not known:
        raise UsageError(f"there are no runs in {base}; 'unstuck run -- COMMAND' makes one")
    raise UsageError(f"no run in {base} fits {text!r}; 'unstuck list' shows the {len(known)} that are there")
