"""The activations in the source of a network, and the layers that they follow."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.source import Source, called

if TYPE_CHECKING:
    from unstuck.record.reader import LayerInfo

_LAYERS = tuple(f"torch.nn.{name}" for name in ("Linear", "Conv1d", "Conv2d", "Conv3d"))


@dataclass(frozen=True)
class Site:
    """An activation in the source.

    Attributes:
        call: The call of the function, or that which makes the module.
        function: Its name in ``torch.nn.functional``.
        is_module: Whether it makes a module.
        layers: The layers that it follows; none where that cannot be told.
        inside: Whether a layer follows in the same sequence of modules.
        behind: The layer's own call, right before it in a sequence of modules.
    """

    call: ast.Call
    function: str
    is_module: bool
    layers: tuple[LayerInfo, ...] = ()
    inside: bool = False
    behind: ast.Call | None = None


def module_names(functions: Sequence[str]) -> dict[str, str]:
    """Return the modules of torch for activations, by their names in ``torch.nn.functional``."""
    from torch import nn

    classes = {name.lower(): name for name in dir(nn.modules.activation) if hasattr(nn, name)}
    return {name: classes[name.replace("_", "")] for name in functions}


def sites(source: Source, layers: Sequence[LayerInfo], functions: Sequence[str]) -> list[Site]:
    """Return the activations of a file's networks.

    Those outside of any class and of any sequence of modules are left out: they belong to no network that is known.

    Args:
        source: The file.
        layers: The layers that multiply with a weight.
        functions: Names of the activations in ``torch.nn.functional``.
    """
    modules = {f"torch.nn.{module}": name for name, module in module_names(functions).items()}
    mine = [layer for layer in layers if layer.file == source.file and layer.line]
    found = []
    for call in source.all(ast.Call):
        path = names_of(source).path(call.func)
        name = path.rpartition(".")[2]
        if path in modules:
            found.append(_module(source, call, modules[path], mine))
        elif path in (f"torch.nn.functional.{name}", f"torch.{name}") and name in functions and call.args:
            found.append(_function(source, call, name, call.args[0], mine))
        elif not path and called(call) in functions and isinstance(call.func, ast.Attribute) and not call.args:
            found.append(_function(source, call, called(call), call.func.value, mine))
    return [site for site in found if site.layers or source.owner(site.call) is not None or site.is_module]


def _module(source: Source, call: ast.Call, name: str, layers: Sequence[LayerInfo]) -> Site:
    elements = _elements(source, call)
    if elements is not None:
        return _in_sequence(source, call, name, elements, layers)
    holder, statement = source.owner(call), source.parent(call)
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if holder is None or not isinstance(target, ast.Attribute):
        return Site(call, name, is_module=True)
    # A module of a class's own: it follows whatever the class calls it on.
    text = source.text(target)
    uses = [one for one in source.all(ast.Attribute, within=holder) if source.text(one) == text and one is not target]
    followed: list[LayerInfo] = []
    for use in uses:
        caller = source.parent(use)
        of = _layers_of(source, caller.args[0], layers) if isinstance(caller, ast.Call) and caller.args else []
        if not of or (isinstance(caller, ast.Call) and _is_factor(source, caller)):
            return Site(call, name, is_module=True)
        followed += of
    return Site(call, name, is_module=True, layers=tuple(followed))


def _elements(source: Source, call: ast.Call) -> list[ast.expr] | None:
    """Return the modules of the sequence that a call stands in, None where it stands in none."""
    holder = source.parent(call)
    if isinstance(holder, ast.Starred):
        holder = source.parent(holder)
    if isinstance(holder, (ast.List, ast.Tuple)):
        return holder.elts
    if isinstance(holder, ast.Call) and names_of(source).path(holder.func) == "torch.nn.Sequential":
        return holder.args
    return None


def _in_sequence(
    source: Source, call: ast.Call, name: str, elements: list[ast.expr], layers: Sequence[LayerInfo]
) -> Site:
    at = elements.index(call)
    weighed = [isinstance(one, ast.Call) and names_of(source).path(one.func) in _LAYERS for one in elements]
    before = next((elements[i] for i in reversed(range(at)) if weighed[i]), None)
    if not isinstance(before, ast.Call):
        return Site(call, name, is_module=True)
    made = tuple(x for x in layers if x.line and before.lineno <= x.line <= (before.end_lineno or 0))
    behind = before if elements[at - 1] is before else None
    return Site(call, name, is_module=True, layers=made, inside=any(weighed[at:]), behind=behind)


def _function(source: Source, call: ast.Call, name: str, inner: ast.expr, layers: Sequence[LayerInfo]) -> Site:
    of = [] if _is_factor(source, call) else _layers_of(source, inner, layers)
    return Site(call, name, is_module=False, layers=tuple(of))


def _is_factor(source: Source, call: ast.Call) -> bool:
    """Whether the function around a call multiplies numbers that vary, so that the call may be a gate."""
    return any(
        isinstance(one.op, ast.Mult) and not any(isinstance(side, ast.Constant) for side in (one.left, one.right))
        for one in source.all(ast.BinOp, within=source.scope(call))
    )


def _layers_of(source: Source, inner: ast.expr, layers: Sequence[LayerInfo]) -> list[LayerInfo]:
    """Return the layers that give what an expression is; none where that cannot be told."""
    for _ in range(4):  # through normalisation, pooling and the like
        if isinstance(inner, ast.Name):
            known = _assigned_just_before(source, inner)
            if known is None:
                return []
            inner = known
        if not isinstance(inner, ast.Call):
            return []
        found = [
            layer
            for begin, end in _making(source, inner.func)
            for layer in layers
            if layer.line and begin <= layer.line <= end
        ]
        if found or not inner.args:
            return found
        inner = inner.args[0]
    return []


def _assigned_just_before(source: Source, name: ast.Name) -> ast.expr | None:
    """Return what the statement before sets a name to."""
    statement = source.statement(name)
    for _, block in ast.iter_fields(source.parent(statement) or statement):
        if isinstance(block, list) and statement in block and block.index(statement) > 0:
            before = block[block.index(statement) - 1]
            if isinstance(before, ast.Assign) and [ast.unparse(target) for target in before.targets] == [name.id]:
                return before.value
    return None


def _making(source: Source, function: ast.expr) -> Iterator[tuple[int, int]]:
    """Go through the lines of the statements that set what is called."""
    if isinstance(function, ast.Name):
        for holder in source.above(function):  # a loop over a list of layers
            if isinstance(holder, ast.For) and ast.unparse(holder.target) == function.id:
                yield from _making(source, holder.iter)
                return
    owner = source.owner(function)
    text = ast.unparse(function)
    for statement in source.all(ast.Assign, within=owner if text.startswith("self.") else None):
        if text in [ast.unparse(target) for target in statement.targets]:
            yield statement.lineno, statement.end_lineno or statement.lineno
