"""The line of the program that makes the DataLoader of its training, and edits of it where the source is plain."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unstuck.remedies.places import call_at, read_source, replaced, unified
from unstuck.remedies.remedy import Edit

if TYPE_CHECKING:
    from unstuck.record import Run

#: The first arguments of a DataLoader, in their order.
_POSITIONS = ("dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers")
_OTHERS = ("val", "test", "eval", "dev")


@dataclass(frozen=True, slots=True)
class LoaderLine:
    """Where a DataLoader is made.

    Attributes:
        file: The file, as the record has it.
        line: The line.
        source: Source of the file.
    """

    file: str
    line: int
    source: str

    def value(self, name: str) -> Any:
        """Return the value of an argument, None where it is not written there, or not as a literal."""
        node = _argument(call_at(self.source, self.line, "DataLoader"), name)
        try:
            return None if node is None else ast.literal_eval(node)
        except ValueError:
            return None


def find_loader(run: Run) -> LoaderLine | None:
    """Return the line that makes the training's DataLoader, None where it cannot be told.

    The record does not have it; it is looked for in the files that make and step the optimizers and make the layers.

    Args:
        run: The watched run.
    """
    files = [file for optimizer in run.optimizers for file in (optimizer.file, optimizer.step_file)]
    for file in dict.fromkeys([*files, *(layer.file for layer in run.layers)]):
        source = read_source(run, file)
        line = _training_line(source) if source is not None else None
        if file and source is not None and line is not None:
            return LoaderLine(file, line, source)
    return None


def loader_edit(run: Run, arguments: Mapping[str, str]) -> Edit:
    """Return the edit that sets arguments of the training's DataLoader.

    Args:
        run: The watched run.
        arguments: Names and their new values, as Python source.

    Returns:
        The edit; with a diff where the arguments are literals, or not written at all.
    """
    words = ", ".join(f"{name}={value}" for name, value in arguments.items())
    place = find_loader(run)
    if place is None:
        return Edit(f"write {words} where the DataLoader that feeds the training is made")
    old = [f"{name}={place.value(name)}" for name in arguments if place.value(name) is not None]
    was = f" (it has {', '.join(old)})" if old else ""
    changed: str | None = place.source
    for name, value in arguments.items():
        changed = None if changed is None else _with_argument(changed, place.line, name, value)
    diff = unified(place.file, place.source, changed) if changed is not None else ""
    return Edit(f"write {words} at {place.file}:{place.line}{was}", place.file, place.line, diff)


def _training_line(source: str) -> int | None:
    """Return the line of the only DataLoader of a source, or of the only one that is named after the training."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    calls = _loaders(tree)
    if len({call.lineno for call in calls}) == 1:
        return calls[0].lineno
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = " ".join(ast.unparse(target) for target in node.targets)
            for call in _loaders(node.value):
                found[call.lineno] = " ".join([names, *(ast.unparse(argument) for argument in call.args[:1])]).lower()
    training = [line for line, names in found.items() if "train" in names]
    if not training:
        training = [line for line, names in found.items() if not any(word in names for word in _OTHERS)]
    return training[0] if len(training) == 1 else None


def _loaders(tree: ast.AST) -> list[ast.Call]:
    """Return the calls in a syntax tree that make DataLoaders."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).split(".")[-1] == "DataLoader"]


def _argument(call: ast.Call | None, name: str) -> ast.expr | None:
    """Return an argument of a call that makes a DataLoader, None where it is not written there."""
    if call is None:
        return None
    position = _POSITIONS.index(name) if name in _POSITIONS else len(call.args)
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _with_argument(source: str, line: int, name: str, value: str) -> str | None:
    """Return the source with an argument of the DataLoader at a line set; None where that takes a person."""
    call = call_at(source, line, "DataLoader")
    plain = call is not None and not any(isinstance(argument, ast.Starred) for argument in call.args)
    if call is None or not plain or any(keyword.arg is None for keyword in call.keywords):
        return None
    node = _argument(call, name)
    if node is not None:
        try:
            ast.literal_eval(node)
        except ValueError:
            return None  # a variable: only its owner knows where it is set
        return replaced(source, node, value)
    arguments = (*call.args, *(keyword.value for keyword in call.keywords))
    if not arguments:
        return None
    last = max(arguments, key=lambda argument: (argument.end_lineno, argument.end_col_offset))
    segment = ast.get_source_segment(source, last)
    return None if segment is None else replaced(source, last, f"{segment}, {name}={value}")
