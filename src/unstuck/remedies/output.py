"""``output-activation``: an activation of the outputs goes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.places import call_at, read_source, replaced, unified
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.rehearsal import Op
    from unstuck.trials.inside.stage import Stage


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
        return Edit(sentence, self.file, self.line, self._diff(run))

    def _diff(self, run: Run) -> str:
        """Return the source without the call, where it is a call on the outputs and nothing else."""
        source = read_source(run, self.file)
        call = call_at(source, self.line, self.name) if source is not None and self.name else None
        if source is None or call is None:
            return ""
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if owner is None or ast.unparse(owner) in ("torch", "F", "nn.functional", "torch.nn.functional"):
            inner = call.args[0] if call.args else None
        else:
            inner = owner  # a method of the outputs
        text = ast.get_source_segment(source, inner) if inner is not None else None
        return unified(self.file, source, replaced(source, call, text)) if text else ""


def _is_activation(module: nn.Module, names: set[str]) -> bool:
    """Whether a module is one of torch's activations with one of these names."""
    own = type(module).__module__ == "torch.nn.modules.activation"
    return own and type(module).__name__.lower() in {name.replace("_", "") for name in names}
