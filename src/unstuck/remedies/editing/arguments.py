"""An argument of a call set to another value, or written for the first time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.editing.source import Source
from unstuck.remedies.editing.values import Change, set_value

if TYPE_CHECKING:
    from unstuck.record import Run


def argument(call: ast.Call, name: str, positions: Sequence[str] = ()) -> ast.expr | None:
    """Return an argument of a call as it is written, None where it is not.

    Args:
        call: The call.
        name: Name of the argument.
        positions: Names of the arguments that may be given by their position.
    """
    position = positions.index(name) if name in positions else len(call.args)
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def is_plain(call: ast.Call) -> bool:
    """Whether all arguments of a call are written in it one by one."""
    starred = any(isinstance(one, ast.Starred) for one in call.args)
    return not starred and all(keyword.arg is not None for keyword in call.keywords)


def set_argument(
    run: Run, source: Source, call: ast.Call, name: str, new: str, *, old: Any = None, positions: Sequence[str] = ()
) -> Change:
    """Return the change that gives an argument of a call another value.

    Args:
        run: The watched run.
        source: The file.
        call: The call.
        name: Name of the argument.
        new: The new value, as Python source.
        old: The value that the run had, None if not known.
        positions: Names of the arguments that may be given by their position.
    """
    if not is_plain(call):
        return Change()
    node = argument(call, name, positions)
    if node is not None:
        return set_value(run, source, node, old, new)
    if len(call.args) > max(len(positions), 1):
        return Change()  # it may be there by its position
    added = add_argument(source, call, f"{name}={new}")
    return Change(None if added is None else (added,))


def add_argument(source: Source, call: ast.Call, text: str) -> Replacement | None:
    """Write a new argument behind the last one of a call, on a line of its own where they all have one.

    Args:
        source: The file.
        call: The call.
        text: The argument.

    Returns:
        The edit; None where there is no argument yet.
    """
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    last = max(given, key=source.span, default=None)
    if last is None or isinstance(last, ast.GeneratorExp):
        return None  # a lone generator has no parentheses of its own
    _, end = source.span(last)
    behind = source.data[end : source.next_line(last)].strip()
    if behind.startswith(b",") and source.stands_alone(last):
        return source.line_like(last, f"{text},")
    return source.put(end, f", {text}")


def without_argument(source: Source, call: ast.Call, gone: ast.keyword | ast.expr) -> Replacement:
    """Take an argument of a call away, with the comma before it.

    Args:
        source: The file.
        call: The call; another argument stands before this one.
        gone: The argument.
    """
    if source.stands_alone(gone):
        return source.delete_lines(gone)
    begin, end = source.span(gone)
    others: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    ends = [source.span(other)[1] for other in others]
    before = max(position for position in ends if position <= begin)
    comma = source.data.index(b",", before)
    return Replacement(source, comma, end, "")
