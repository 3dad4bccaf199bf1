"""``clipping``: a bound on the norm of the gradient."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.arguments import argument
from unstuck.remedies.editing.loop import Step, steps_of, trained
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.optimizers import OptimizerCall, optimizer_calls
from unstuck.remedies.editing.source import called
from unstuck.remedies.editing.values import literal
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.steps import named, step_place

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Clipping(Remedy):
    """The gradient of all parameters of an optimizer is shortened to a norm where it is longer.

    Attributes:
        norm: Above 0.
    """

    kind: ClassVar[str] = "clipping"

    norm: float

    @property
    def label(self) -> str:
        """The bound."""
        return f"gradient clipped to norm {self.norm:g}"

    def apply(self, stage: Stage) -> None:
        """Clip right before every step, or, where the step computes the gradient by a closure, right after that."""
        from torch import nn

        from unstuck.attach.untraced import untraced

        def clip(optimizer: Optimizer) -> None:
            parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            if parameters:
                # An optimizer that is fused with the scaling of the loss gets the gradients as they were scaled.
                scale = getattr(optimizer, "grad_scale", None)
                nn.utils.clip_grad_norm_(parameters, self.norm if scale is None else self.norm * float(scale))
                stage.did(self.kind)

        clips = untraced(clip)

        def before_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            closure = args[1] if len(args) > 1 else kwargs.get("closure")
            if closure is None:
                clips(optimizer)
                return None

            def clipped() -> Any:
                loss = closure()
                clips(optimizer)
                return loss

            return ((args[0], clipped, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "closure": clipped})

        def made(optimizer: Optimizer) -> None:
            optimizer.register_step_pre_hook(before_step)

        stage.when_optimizer_made(made)

    def edit(self, run: Run) -> Edit:
        """Name the call to write before the step."""
        place = step_place(run)
        file, line = place or (None, None)
        call = f"torch.nn.utils.clip_grad_norm_(model.parameters(), {self.norm:g})"
        sentence = f"write {call} before {named(place)}"
        return Edit(sentence, file, line, self._pieces(run))

    def _pieces(self, run: Run) -> tuple[Replacement, ...]:
        """Return the call before every step, or the other bound where the program has one."""
        made = optimizer_calls(run) or []
        pieces = [self._before(step, made) for step in steps_of(run) or ()]
        return tuple(piece for piece in pieces if piece is not None) if all(pieces) else ()

    def _before(self, step: Step, made: Sequence[OptimizerCall]) -> Replacement | None:
        source = step.source
        clipping = [call for call in source.all(ast.Call) if called(call) == "clip_grad_norm_"]
        if clipping:
            bound = argument(clipping[0], "max_norm", ["parameters", "max_norm"])
            same = len(clipping) == 1 and source.scope(clipping[0]) is source.scope(step.statement)
            return source.replace(bound, f"{self.norm:g}") if same and bound is not None and literal(bound) else None
        name = names_of(source).write("torch.nn.utils.clip_grad_norm_")
        return None if name is None else source.before(step.statement, f"{name}({trained(step, made)}, {self.norm:g})")
