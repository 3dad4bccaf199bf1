"""Where the value of an argument is written: in the call, in a constant, or on the command line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.editing.source import Source, called

if TYPE_CHECKING:
    from unstuck.record import Run


@dataclass(frozen=True, slots=True)
class Change:
    """What makes an argument another.

    Attributes:
        replacements: The edit; None where it takes a person.
        instead: What a person would do in the place of writing it in the call, in words; empty for just that.
    """

    replacements: tuple[Replacement, ...] | None = None
    instead: str = ""


def set_value(run: Run, source: Source, node: ast.expr, old: Any, new: str) -> Change:
    """Return the change that gives an argument another value.

    A value from the command line is changed where it comes from: in the command if it was given there, else in the
    default. A constant is changed where it is set if nothing else uses it.

    Args:
        run: The watched run.
        source: The file.
        node: The argument as it is written.
        old: The value that the run had. Where another one is written, something else sets it. None if not known.
        new: The new value, as Python source.
    """
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return _from_command_line(run, source, node, old, new)
    if isinstance(node, ast.Name):
        node_or_none = _constant(source, node)
        return Change() if node_or_none is None else _literal(source, node_or_none, old, new)
    return _literal(source, node, old, new)


def literal(node: ast.expr | None) -> Any:
    """Return the value of a literal, None for anything else."""
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


def _literal(source: Source, node: ast.expr, old: Any, new: str) -> Change:
    value = literal(node)
    if value is None or (old is not None and not _equal(value, old)):
        return Change()
    return Change((source.replace(node, new),))


def _equal(one: Any, other: Any) -> bool:
    return (list(one) == list(other)) if isinstance(one, (tuple, list)) else bool(one == other)


def _constant(source: Source, name: ast.Name) -> ast.expr | None:
    """Return what a name is set to, None unless it is set once and used for this alone."""
    uses = [node for node in source.all(ast.Name) if node.id == name.id]
    taken = any(node.arg == name.id for node in source.all(ast.arg))
    sets = [node for node in uses if not isinstance(node.ctx, ast.Load)]
    if taken or len(uses) != 2 or len(sets) != 1:
        return None
    statement = source.parent(sets[0])
    if isinstance(statement, ast.Assign) and statement.targets == sets:
        return statement.value
    return statement.value if isinstance(statement, ast.AnnAssign) and statement.simple else None


def _from_command_line(run: Run, source: Source, node: ast.Attribute, old: Any, new: str) -> Change:
    options = [call for call in source.all(ast.Call) if called(call) == "add_argument" and _target(call) == node.attr]
    stored = any(isinstance(other.ctx, ast.Store) and other.attr == node.attr for other in source.all(ast.Attribute))
    if len(options) != 1 or stored:
        return Change()
    flags = [str(literal(flag)) for flag in options[0].args]
    flag = next((flag for flag in flags if flag.startswith("--")), flags[0])
    if _given(run.manifest.get("command") or (), flags):
        reads = f"{source.file}:{node.lineno} reads it from there"
        return Change(None, f"run with {flag} {new} ({reads})" if flag.startswith("-") else "")
    others = {keyword.arg: keyword.value for keyword in options[0].keywords}
    default = others.get("default")
    change = Change() if default is None or "choices" in others else _literal(source, default, old, new)
    if change.replacements is None:
        return change
    where = f"{source.file}:{options[0].lineno}"
    return Change(change.replacements, f"write default={new} for {flag} at {where}, or run with {flag} {new}")


def _target(call: ast.Call) -> str:
    """Return the attribute that an argument of the command line is stored in."""
    for keyword in call.keywords:
        if keyword.arg == "dest":
            return str(literal(keyword.value))
    flags = [str(literal(flag)) for flag in call.args]
    long = [flag for flag in flags if flag.startswith("--")] or flags
    return long[0].lstrip("-").replace("-", "_") if long else ""


def _given(command: Sequence[str], flags: Sequence[str]) -> bool:
    """Whether a command line may give an argument; argparse takes the beginning of a long name for it too."""
    for word in command:
        name = str(word).split("=")[0]
        for flag in flags:
            if not flag.startswith("-"):
                return True
            if flag.startswith("--") and len(name) > 2 and flag.startswith(name):
                return True
            if not flag.startswith("--") and name.startswith(flag) and not name.startswith("--"):
                return True
    return False
