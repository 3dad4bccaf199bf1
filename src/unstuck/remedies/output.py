"""``output-activation``: an activation of the outputs goes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, Source, read_source
from unstuck.remedies.editing.arguments import without_argument
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.source import called
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.rehearsal import Op
    from unstuck.trials.inside.stage import Stage

#: Activations as modules, where the outputs of networks have them.
_MODULES = {
    "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "sigmoid": "Sigmoid",
    "logsigmoid": "LogSigmoid",
    "tanh": "Tanh",
    "relu": "ReLU",
    "softplus": "Softplus",
    "hardtanh": "Hardtanh",
}


@dataclass(frozen=True)
class DropActivation(Remedy):
    """The activation at a line gives what it gets. Where a line has several, those between layers stay.

    Attributes:
        file: File of the line that calls it, or that makes it where it is a module, as the record has it.
        line: The line.
        name: Its name in ``torch.nn.functional``; empty for whichever is there.
    """

    kind: ClassVar[str] = "output-activation"
    changes_loss: ClassVar[bool] = True

    file: str
    line: int
    name: str = ""

    @property
    def label(self) -> str:
        """What goes."""
        return f"without the {self._named} of the outputs"

    @property
    def _named(self) -> str:
        return self.name or "activation"

    def apply(self, stage: Stage) -> None:
        """Skip the calls at the line that a rehearsal of the network finds, and those outside of any network."""
        from unstuck.attach.layers import ACTIVATIONS
        from unstuck.trials.inside.activations import Activations

        names = {self.name} if self.name else set(ACTIVATIONS.values()) - {"clamp", "clamp_min", "sin"}
        place = (self.file, self.line)
        activations = Activations(stage, names, "", lambda: stage.did(self.kind), place)

        def is_here(op: Op) -> bool:
            return op.line == place if op.module is None else op.line == place or was_made_here(op.module)

        def was_made_here(module: nn.Module) -> bool:
            made = stage.modules.line_of(module)
            return made is not None and (made.file, made.line) == place

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            calls = activations.rehearse(network, args, kwargs)
            ops = [op for op in calls if op.kind == "activation" and op.name in names]
            here = [is_here(op) for op in ops]
            outputs = [at and not op.hidden for op, at in zip(ops, here, strict=True)]
            activations.take(ops, outputs if any(outputs) else here)
            within = {id(child) for module in stage.modules.alive() for child in module.children()}
            for module in stage.modules.alive():
                # A module that no network holds is called by the training loop itself.
                if id(module) not in within and was_made_here(module) and _is_activation(module, names):
                    activations.replace(module)
            stage.cannot(self.kind, f"no {self._named} is called at {self.file}:{self.line}")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the call to delete."""
        sentence = f"delete the {self._named} at {self.file}:{self.line}: the outputs go to the loss as they are"
        return Edit(sentence, self.file, self.line, self._pieces(run))

    def _pieces(self, run: Run) -> tuple[Replacement, ...]:
        """Return the source without the call; none unless the line has one."""
        source = read_source(run, self.file)
        if source is None or not self.name:
            return ()
        module = _MODULES.get(self.name, self.name)
        calls = source.calls_at(self.line, self.name, module)
        if len(calls) != 1:
            return ()
        call, path = calls[0], names_of(source).path(calls[0].func)
        if path == f"torch.nn.{module}":
            return _without_module(source, call)
        if path in (f"torch.nn.functional.{self.name}", f"torch.{self.name}"):
            return () if not call.args else (source.replace(call, _inner(source, call, call.args[0])),)
        if not path and isinstance(call.func, ast.Attribute) and called(call) == self.name:
            return (source.replace(call, _inner(source, call, call.func.value)),)  # a method of the outputs
        return ()


def _inner(source: Source, call: ast.Call, inner: ast.expr) -> str:
    """Return an expression as it is to be written in the place of a call, in parentheses where that binds closer."""
    safe = isinstance(inner, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
    alone = isinstance(source.parent(call), (ast.Return, ast.Assign, ast.Call)) and "\n" not in source.text(inner)
    return source.text(inner) if safe or alone else f"({source.text(inner)})"


def _without_module(source: Source, call: ast.Call) -> tuple[Replacement, ...]:
    """Return the source without a module that is the last of a sequence, or that is used once."""
    holder = source.parent(call)
    if isinstance(holder, ast.Call) and names_of(source).path(holder.func) == "torch.nn.Sequential":
        last = len(holder.args) > 1 and holder.args[-1] is call and not holder.keywords
        return (without_argument(source, holder, call),) if last else ()
    owner = source.owner(call)
    target = holder.targets[0] if isinstance(holder, ast.Assign) and len(holder.targets) == 1 else None
    if owner is None or not isinstance(target, ast.Attribute) or source.statement(call) is not holder:
        return ()
    name = source.text(target)
    everywhere = [node for node in source.all(ast.Attribute) if node.attr == target.attr and node is not target]
    uses = [node for node in everywhere if source.text(node) == name]
    use = source.parent(uses[0]) if len(uses) == len(everywhere) == 1 else None
    if not isinstance(use, ast.Call) or use.func is not uses[0] or len(use.args) != 1 or use.keywords:
        return ()
    gone = source.delete(source.statement(call))
    return () if gone is None else (gone, source.replace(use, _inner(source, use, use.args[0])))


def _is_activation(module: nn.Module, names: set[str]) -> bool:
    """Whether a module is one of torch's activations with one of these names."""
    own = type(module).__module__ == "torch.nn.modules.activation"
    return own and type(module).__name__.lower() in {name.replace("_", "") for name in names}
