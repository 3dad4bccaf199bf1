"""The line of the program that makes the DataLoader of its training, and edits of it where the source is plain."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unstuck.remedies.editing import Source, read_source
from unstuck.remedies.editing.arguments import argument, set_argument
from unstuck.remedies.editing.values import literal
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
        source: The file.
    """

    file: str
    line: int
    source: Source

    def value(self, name: str) -> Any:
        """Return the value of an argument, None where it is not written there, or not as a literal."""
        return literal(None if self.call is None else argument(self.call, name, _POSITIONS))

    @property
    def call(self) -> ast.Call | None:
        """The call that makes it, None where the line has several."""
        calls = self.source.calls_at(self.line, "DataLoader")
        return calls[0] if len(calls) == 1 else None


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
    call = place.call
    changes = [
        set_argument(run, place.source, call, name, value, positions=_POSITIONS)
        for name, value in arguments.items()
        if call is not None
    ]
    instead = " and ".join(change.instead for change in changes if change.instead)
    sampled = any(argument(call, name, _POSITIONS) is not None for name in ("sampler", "batch_sampler") if call)
    whole = not sampled and all(change.replacements is not None for change in changes)
    pieces = [piece for change in changes for piece in change.replacements or ()] if whole else []
    sentence = instead or f"write {words} at {place.file}:{place.line}{was}"
    return Edit(sentence, place.file, place.line, tuple(pieces))


def _training_line(source: Source) -> int | None:
    """Return the line of the only DataLoader of a source, or of the only one that is named after the training."""
    calls = _loaders(source.tree)
    if len({call.lineno for call in calls}) == 1:
        return calls[0].lineno
    found: dict[int, str] = {}
    for node in ast.walk(source.tree):
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
