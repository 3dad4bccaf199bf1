"""``shapes``: targets get the shape of the outputs that they are compared with."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, Source, read_source
from unstuck.remedies.editing.losses import find_loss, is_output
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import loss_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from unstuck.record import Run
    from unstuck.trials.inside.losses import Call
    from unstuck.trials.inside.stage import Stage

_PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


@dataclass(frozen=True)
class SameShape(Remedy):
    """Where outputs and targets differ in dimensions of size 1 only, the targets are viewed as the outputs are.

    This holds for losses of torch that go element by element, and for differences written by hand that would be blown
    up to all pairs.
    """

    kind: ClassVar[str] = "shapes"
    changes_loss: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """What is done."""
        return "targets in the shape of the outputs"

    def apply(self, stage: Stage) -> None:
        """Reshape the targets of losses and of differences."""
        import torch
        from torch import Tensor

        from unstuck.attach.untraced import stands_for
        from unstuck.trials.inside.losses import BINARY, DISTANCES, same_but_ones, wrap_losses

        def treat(call: Call) -> Any:
            if call.target.shape != call.input.shape and same_but_ones(call.input, call.target):
                stage.did(self.kind)
                return call.compute(call.input, call.target.reshape(call.input.shape))
            return call.compute(call.input, call.target)

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            @stands_for(original)
            def sub(one: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
                if isinstance(one, Tensor) and isinstance(other, Tensor) and _is_blown_up(one, other):
                    stage.did(self.kind)
                    if one.requires_grad:
                        other = other.reshape(one.shape)
                    else:
                        one = one.reshape(other.shape)
                return original(one, other, *args, **kwargs)

            return sub

        def _is_blown_up(one: Tensor, other: Tensor) -> bool:
            # With as many dimensions on both sides, all pairs may be meant.
            apart = one.dim() != other.dim() and one.requires_grad != other.requires_grad
            if not apart or not same_but_ones(one, other):
                return False
            return torch.broadcast_shapes(one.shape, other.shape) not in (one.shape, other.shape)

        wrap_losses(stage, (*DISTANCES, *BINARY), treat)
        for owner, name in ((Tensor, "__sub__"), (Tensor, "sub"), (Tensor, "subtract")):
            stage.wrap(owner, name, make)
        for name in ("sub", "subtract"):
            stage.wrap(torch, name, make)

    def edit(self, run: Run) -> Edit:
        """Name the comparison."""
        place = loss_line(run, lambda head: bool(head.get("broadcast")))
        if place is None:
            return Edit("write target.view_as(pred) where outputs and targets are compared")
        kind, file, line = place
        sentence = f"write target.view_as(pred) for the target in the comparison at {file}:{line}"
        return Edit(sentence, file, line, _pieces(run, kind, file, line))


def _pieces(run: Run, kind: str, file: str, line: int) -> tuple[Replacement, ...]:
    """Return the edit of a loss of torch, or of a difference of which one side is known to be the outputs."""
    source, made = read_source(run, file), optimizer_calls(run) or ()
    if source is None:
        return ()
    loss = find_loss(source, kind, line)
    if loss is not None:
        return _viewed(source, *loss.use.args[:2]) if len(loss.use.args) > 1 else ()
    differences = [
        one
        for one in source.all(ast.BinOp)
        if isinstance(one.op, ast.Sub) and one.lineno <= line <= (one.end_lineno or line)
    ]
    networks = [one.network for one in made if one.network is not None]
    if len(differences) != 1:
        return ()
    left, right = differences[0].left, differences[0].right
    outputs = [any(is_output(source, side, network) for network in networks) for side in (left, right)]
    if outputs[0] == outputs[1]:
        return ()
    return _viewed(source, *((left, right) if outputs[0] else (right, left)))


def _viewed(source: Source, outputs: ast.expr, targets: ast.expr) -> tuple[Replacement, ...]:
    """Return the edit that gives the targets the shape of the outputs, or those the shape of targets with a name."""
    if isinstance(outputs, ast.Name) and isinstance(targets, _PLAIN):
        return (source.put(source.span(targets)[1], f".view_as({outputs.id})"),)
    if isinstance(targets, ast.Name) and isinstance(outputs, _PLAIN):
        return (source.put(source.span(outputs)[1], f".view_as({targets.id})"),)
    return ()
