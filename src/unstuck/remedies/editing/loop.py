"""The statement of the training loop that makes the step, and what may be named there."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unstuck.remedies.editing.optimizers import OptimizerCall
from unstuck.remedies.editing.source import Source, called, read_source

if TYPE_CHECKING:
    from unstuck.record import Run


@dataclass(frozen=True)
class Step:
    """A statement ``optimizer.step()``.

    Attributes:
        source: The file.
        statement: The statement.
        optimizer: What is called there, as it is written.
    """

    source: Source
    statement: ast.Expr
    optimizer: str

    @property
    def loop(self) -> ast.For | ast.While | ast.AsyncFor | None:
        """The innermost loop around it in the same function."""
        for holder in self.source.above(self.statement):
            if isinstance(holder, (ast.For, ast.While, ast.AsyncFor)):
                return holder
            if isinstance(holder, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return None
        return None


def steps_of(run: Run) -> list[Step] | None:
    """Return the statements that make the steps of a run's optimizers, None unless all are found and plain.

    A statement is plain if it stands alone on its line, has no closure, and is the only one of its optimizer.
    """
    places = {
        event.get("optimizer"): (str(event.get("file")), int(event.get("line") or 0))
        for event in run.events
        if event.get("name") == "first_step"
    }
    found: dict[tuple[str, int], Step] = {}
    for info in run.together:
        file, line = places.get(info.index, ("", 0))
        source = read_source(run, file)
        step = None if source is None else _step(source, line)
        if step is None:
            return None
        found[file, line] = step
    return list(found.values()) or None


def _step(source: Source, line: int) -> Step | None:
    statements = [
        (statement, source.text(statement.value.func.value))
        for statement in source.all(ast.Expr)
        if isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and called(statement.value) == "step"
    ]
    here = [(s, o) for s, o in statements if s.lineno == line and source.stands_alone(s)]
    if len(here) != 1:
        return None
    statement, owner = here[0]
    call = statement.value
    bare = isinstance(call, ast.Call) and not call.args and not call.keywords
    return Step(source, statement, owner) if bare and [o for _, o in statements].count(owner) == 1 else None


def trained(step: Step, made: Sequence[OptimizerCall]) -> str:
    """Return the parameters of an optimizer, as they may be written where it steps: ``model.parameters()``.

    Args:
        step: Where it steps.
        made: The calls that make the run's optimizers.
    """
    mine = [call for call in made if call.target is not None and call.source.text(call.target) == step.optimizer]
    if len(made) == 1 and not mine:
        mine = list(made)
    model, network = (mine[0].model, mine[0].network) if len(mine) == 1 else (None, None)
    # A part of a network may become all of it by another edit of the same arm.
    whole = network is None or (model is not None and ast.unparse(model) == ast.unparse(network))
    if model is not None and whole and reachable(mine[0], model, step.source, step.statement):
        return f"{step.source.text(model)}.parameters()"
    return f'[p for group in {step.optimizer}.param_groups for p in group["params"]]'


def reachable(made: OptimizerCall, node: ast.expr, source: Source, there: ast.AST) -> bool:
    """Whether a name that is used where an optimizer is made means the same at another place.

    It does in the same function, in another method of the same class where it is an attribute, in a function under a
    module's variable, and, as far as people name things, where a function takes an argument of this name.

    Args:
        made: The call that makes the optimizer.
        node: The name, or an attribute of it.
        source: The file of the other place.
        there: The other place.
    """
    if source is not made.source:
        return False
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    here, scope = source.scope(made.call), source.scope(there)
    if scope is here:
        return True
    if root.id == "self":
        return source.owner(made.call) is not None and source.owner(made.call) is source.owner(there)
    if isinstance(scope, ast.Module):
        return False
    if root.id in {argument.arg for argument in source.all(ast.arg, within=scope.args)}:
        return root is node
    local = any(n.id == root.id and isinstance(n.ctx, ast.Store) for n in source.all(ast.Name, within=scope))
    return isinstance(here, ast.Module) and not local


def evaluates(source: Source, loop: ast.AST) -> bool:
    """Whether a loop, or a function of the file that it calls, puts a network into evaluation mode."""
    names = {called(call) for call in source.all(ast.Call, within=loop)}
    bodies: list[ast.AST] = [loop]
    seen: set[str] = set()
    while names - seen:
        new = names - seen
        seen |= new
        bodies += [node for node in source.all(ast.FunctionDef) if node.name in new]
        names = {called(call) for body in bodies for call in source.all(ast.Call, within=body)}
    calls = [call for body in bodies for call in source.all(ast.Call, within=body)]
    return any(called(call) == "eval" or (called(call) == "train" and call.args) for call in calls)
