"""What a user has chosen, from four places: flags, then ``UNSTUCK_*`` variables, then a project's file, then defaults.

The file is ``unstuck.toml``, or ``[tool.unstuck]`` in ``pyproject.toml``, of the current folder or the nearest above::

    [tool.unstuck]
    budget = 0.05
    fail-on = "stuck"
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.errors import UsageError
from unstuck.record.folder import DEFAULT as RUNS
from unstuck.settings import BUDGET, FLOOR

#: Verdicts that ``--fail-on`` can name, from mild to bad: those of ``finding.STATES`` that are not good news.
FAIL_ON = ("unknown", "slow", "stuck", "diverged", "wrong")


@dataclass(frozen=True, slots=True)
class Config:
    """Choices that hold for a command.

    Attributes:
        budget: Share of the program's run time that measuring may take.
        floor: Seconds that measuring may take in any case.
        probes: Whether steps are measured in depth.
        dir: Folder that holds the runs.
        fail_on: The mildest verdict that makes the exit code 3; None for never.
        quiet: One line at the end, and nothing in the terminal's title.
    """

    budget: float = BUDGET
    floor: float = FLOOR
    probes: bool = True
    dir: Path = RUNS
    fail_on: str | None = None
    quiet: bool = False


def read_config(
    flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Config:
    """Return the choices that hold.

    Args:
        flags: Choices of the command line by field name; None where a flag was not given.
        environment: Where the ``UNSTUCK_*`` variables are.
        folder: Where the search for the project's file begins; None for the current folder.

    Returns:
        For each field the first choice among flags, variables, file and default.

    Raises:
        UsageError: A choice has a name or a value that does not exist; the message says where it stands.
    """
    chosen = _from_file(folder or Path.cwd())
    for key, kind in _KINDS.items():
        variable = "UNSTUCK_" + _field(key).upper()
        if environment.get(variable):
            chosen[_field(key)] = kind(environment[variable], variable)
        if flags.get(_field(key)) is not None:
            chosen[_field(key)] = kind(flags[_field(key)], f"--{key}")
    return Config(**chosen)


def _from_file(folder: Path) -> dict[str, Any]:
    """Return the choices of the nearest project file that makes any; ``unstuck.toml`` goes before its neighbour."""
    for place in (folder, *folder.absolute().parents):
        for file, path in (place / "unstuck.toml", ()), (place / "pyproject.toml", ("tool", "unstuck")):
            table = _table(file, path)
            if table is not None:
                return {_field(key): _from_toml(file, key, value) for key, value in table.items()}
    return {}


def _table(file: Path, path: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the part of a TOML file that is ours; None where there is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if path and "unstuck" not in text:  # a broken pyproject.toml that is not about us is not our business
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from None
    for name in path:
        table = table.get(name)
        if not isinstance(table, dict):
            return None
    return dict(table)


def _from_toml(file: Path, key: str, value: Any) -> Any:
    if key not in _KINDS:
        raise UsageError(f"{file}: there is no setting {key!r}; the settings are {', '.join(_KINDS)}")
    kind = _KINDS[key]
    where = f"{key} in {file}"
    if type(value) not in kind.toml:
        raise UsageError(f"{where} is {kind.wanted}; got {value!r}")
    choice = kind(value, where)
    return file.parent / choice if isinstance(choice, Path) else choice


def _field(key: str) -> str:
    return key.replace("-", "_")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of value: what it is in words, how it is read, and the types that it has in TOML."""

    wanted: str
    read: Callable[[Any], Any]
    toml: tuple[type, ...]

    def __call__(self, value: Any, where: str) -> Any:
        try:
            return self.read(value)
        except (ValueError, KeyError):
            raise UsageError(f"{where} is {self.wanted}; got {value!r}") from None


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_NUMBER = _Kind("a number", float, (int, float))
_SWITCH = _Kind("true or false", lambda value: _WORDS[str(value).lower()], (bool,))
_FOLDER = _Kind("the path of a folder", lambda value: Path(value).expanduser(), (str,))
_VERDICT = _Kind(f"one of {', '.join(FAIL_ON)}", lambda value: FAIL_ON[FAIL_ON.index(value)], (str,))

_KINDS = {
    "budget": _NUMBER,
    "floor": _NUMBER,
    "probes": _SWITCH,
    "dir": _FOLDER,
    "fail-on": _VERDICT,
    "quiet": _SWITCH,
}
