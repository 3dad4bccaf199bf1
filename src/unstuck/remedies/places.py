"""The line of the program that an edit of its optimizer belongs to, in words and as replacements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unstuck.remedies.editing.optimizers import NewValue, set_hyper_parameter
from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.remedy import Edit

if TYPE_CHECKING:
    from unstuck.record import Run


def optimizer_place(run: Run) -> str:
    """Return where the optimizers are made, as it reads in a sentence: ``train.py:31``; empty if not known."""
    return " and ".join(dict.fromkeys(f"{o.file}:{o.line}" for o in run.together if o.file and o.line))


def keyword_edit(run: Run, new: Mapping[str, NewValue], otherwise: str = "") -> Edit:
    """Return the edit that sets hyper-parameters of the optimizers, in all groups that have them.

    Args:
        run: The watched run.
        new: The values to write from those of a group, as Python source, by their names; None where one stays.
        otherwise: What to write for the first one in words, where the group's values are not known.
    """
    optimizer = run.main_optimizer
    groups: list[dict[str, Any]] = [group for info in run.together for group in info.groups]
    first = next(iter(new))
    having = next((group for group in groups if new[first](group) is not None), {})
    values = {name: text for name, of in new.items() if (text := of(having)) is not None} or {first: otherwise}
    place = optimizer_place(run)
    where = f"at {place}" if place else "where the optimizer is made"
    words = [f"write {', '.join(f'{name}={text}' for name, text in values.items())} {where}"]
    pieces: list[Replacement] | None = []
    for name in values:
        change = set_hyper_parameter(run, name, new[name])
        if change.instead:
            words = [change.instead] if name == first else [*words, change.instead]
        pieces = None if change.replacements is None or pieces is None else [*pieces, *change.replacements]
    old = having.get(first)
    was = f" (it is {old})" if isinstance(old, (int, float, str, bool, tuple, list)) else ""
    return Edit(" and ".join(words) + was, optimizer.file, optimizer.line, tuple(pieces or ()))


def fixed(name: str, value: str) -> dict[str, NewValue]:
    """Return a hyper-parameter that gets the same value in all groups that have it, for :func:`keyword_edit`."""
    return {name: lambda group: value if name in group else None}
