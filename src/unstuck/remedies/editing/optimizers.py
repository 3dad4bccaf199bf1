"""The calls that make the optimizers of a run, and edits of their arguments."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unstuck.remedies.editing.arguments import argument, is_plain, set_argument
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.editing.source import Source, called, read_source
from unstuck.remedies.editing.values import Change, literal, set_value

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.record.reader import OptimizerInfo

#: The new value of an argument, as Python source, from the group's own values; None to leave it.
NewValue = Callable[[Mapping[str, Any]], "str | None"]


@dataclass(frozen=True)
class OptimizerCall:
    """A call that makes an optimizer.

    Attributes:
        info: The optimizer.
        source: The file.
        call: The call.
    """

    info: OptimizerInfo
    source: Source
    call: ast.Call

    @property
    def positions(self) -> list[str]:
        """Names of the arguments that may be given by their position; none for a class that is not torch's."""
        import torch

        path = names_of(self.source).path(self.call.func)
        own = path.startswith("torch.optim") and path.endswith(f".{self.info.name}")
        return list(inspect.signature(getattr(torch.optim, self.info.name)).parameters) if own else []

    @property
    def parameters(self) -> ast.expr | None:
        """What it is given to train."""
        return argument(self.call, "params", ["params"])

    @property
    def model(self) -> ast.expr | None:
        """The network whose ``parameters()`` it is given, None where it is given anything else."""
        given = self.parameters
        plain = isinstance(given, ast.Call) and not given.args and not given.keywords and called(given) == "parameters"
        if not plain or not isinstance(given, ast.Call) or not isinstance(given.func, ast.Attribute):
            return None
        owner = given.func.value
        return owner if _is_dotted(owner) else None

    @property
    def network(self) -> ast.expr | None:
        """The network that the program calls, of which it is given all parameters or a part; None if not known."""
        node, found = self.model, None
        calls = {ast.unparse(call.func) for call in self.source.all(ast.Call)}
        while node is not None:
            found = node if ast.unparse(node) in calls else found
            node = node.value if isinstance(node, ast.Attribute) else None
        return found

    @property
    def target(self) -> ast.expr | None:
        """What it is assigned to, None where that is no name and no attribute."""
        statement = self.source.parent(self.call)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and _is_dotted(statement.targets[0]):
            return statement.targets[0]
        return None


def optimizer_calls(run: Run) -> list[OptimizerCall] | None:
    """Return the calls that make the optimizers of a run, None unless all of them are found."""
    found = []
    for info in run.together:
        source = read_source(run, info.file)
        calls = source.calls_at(info.line, info.name) if source is not None and info.line else []
        if source is None or len(calls) != 1 or not is_plain(calls[0]):
            return None
        found.append(OptimizerCall(info, source, calls[0]))
    return found or None


def set_hyper_parameter(run: Run, name: str, new: NewValue) -> Change:
    """Return the change that sets a hyper-parameter in all groups of all optimizers.

    Args:
        run: The watched run.
        name: Name of the argument.
        new: The new value from a group's own values.
    """
    calls = optimizer_calls(run)
    if calls is None or any(_is_set_elsewhere(call.source, name) for call in calls):
        return Change()
    changes = [change for call in calls for change in _set(run, call, name, new)]
    instead = next((change.instead for change in changes if change.instead), "")
    pieces: list[Replacement] = []
    for change in changes:
        if change.replacements is None:
            return Change(None, instead)
        pieces += change.replacements
    return Change(tuple(pieces) or None, instead)


def _set(run: Run, made: OptimizerCall, name: str, new: NewValue) -> list[Change]:
    """Return the changes of one call: of its groups that have the argument, and of its own for the others."""
    groups: list[Mapping[str, Any]] = list(made.info.groups)
    dicts = _groups(made)
    if dicts is None or (dicts and len(dicts) != len(groups)):
        return [Change()]
    changes, rest = [], list(groups)
    for node, group in zip(dicts, groups, strict=False):
        value, text = _entry(node, name), new(group)
        if value is not None:
            rest.remove(group)
            if text is not None:
                changes.append(set_value(run, made.source, value, group.get(name), text))
    texts = {text for group in rest if (text := new(group)) is not None}
    if not texts:
        return changes
    same = len(texts) == 1 and all(group.get(name) == rest[0].get(name) for group in rest)
    known = bool(made.positions) or argument(made.call, name) is not None
    if not same or not known or (made.positions and name not in made.positions):
        return [Change()]
    old, text = rest[0].get(name), texts.pop()
    own = set_argument(run, made.source, made.call, name, text, old=old, positions=made.positions)
    return [*changes, own]


def _groups(made: OptimizerCall) -> list[ast.Dict] | None:
    """Return the groups as they are written, none where there is one group; None where they are made elsewhere."""
    given = made.parameters
    if isinstance(given, (ast.List, ast.Tuple)):
        dicts = [one for one in given.elts if isinstance(one, ast.Dict)]
        whole = all(key is not None for one in dicts for key in one.keys)
        return dicts if whole and len(dicts) in (0, len(given.elts)) else None
    return [] if len(made.info.groups) == 1 else None


def _entry(node: ast.Dict, name: str) -> ast.expr | None:
    return next((value for key, value in zip(node.keys, node.values, strict=True) if literal(key) == name), None)


def _is_set_elsewhere(source: Source, name: str) -> bool:
    """Whether the file writes a hyper-parameter into the groups itself, or has a scheduler that does."""
    if name == "lr" and any(called(call) in ("OneCycleLR", "CyclicLR") for call in source.all(ast.Call)):
        return True
    return any(isinstance(one.ctx, ast.Store) and literal(one.slice) == name for one in source.all(ast.Subscript))


def _is_dotted(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_dotted(node.value))
