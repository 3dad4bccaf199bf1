"""Replacements as one unified diff, whichever remedies they come from."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from pathlib import PurePath

from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.editing.source import Source


def render(replacements: Iterable[Replacement]) -> str:
    """Return replacements as a unified diff that ``patch -p1`` and ``git apply`` take.

    Args:
        replacements: The replacements, of any files. What is there twice is written once.

    Returns:
        The diff; empty where two of them contradict each other, where a file is not below the folder that the program
        was started in, or where the outcome would be no Python.
    """
    files: dict[Source, list[Replacement]] = {}
    for replacement in dict.fromkeys(replacements):
        files.setdefault(replacement.source, []).append(replacement)
    diffs = []
    for source, pieces in files.items():
        path = PurePath(source.file)
        after = _applied(source.data, pieces)
        if after is None or path.is_absolute() or ".." in path.parts or not _is_python(after):
            return ""
        diffs.append(_unified(path.as_posix(), source.data.decode(), after))
    return "".join(diffs)


def _applied(data: bytes, pieces: list[Replacement]) -> str | None:
    """Return a file with its pieces replaced, None where two of them overlap."""
    parts, at = [], 0
    for piece in sorted(pieces, key=lambda piece: (piece.begin, piece.end, piece.rank)):
        if piece.begin < at:
            return None
        parts += [data[at : piece.begin], piece.text.encode()]
        at = piece.end
    return b"".join([*parts, data[at:]]).decode()


def _is_python(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the program's own literals
        try:
            compile(text, "edited", "exec", dont_inherit=True)  # unlike a mere parser, it minds a keyword that is twice
        except SyntaxError:
            return False
    return True


def _unified(file: str, before: str, after: str) -> str:
    """Return two versions of a file as a unified diff; a tab ends names with spaces in them, as git writes it."""
    tab = "\t" if " " in file else ""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), f"a/{file}{tab}", f"b/{file}{tab}"))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines as git and patch know them: Python's own splitting knows more ends than theirs."""
    lines = [f"{line}\n" for line in text.split("\n")]
    return lines[:-1] if text.endswith("\n") else [*lines[:-1], lines[-1][:-1]] if text else []
