"""``train-mode``: a network that is trained in evaluation mode is put into training mode."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, Source
from unstuck.remedies.editing.loop import Step, evaluates, reachable, steps_of
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.editing.source import called
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.steps import named, step_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class TrainMode(Remedy):
    """Calls with gradients run in training mode.

    A network that was in evaluation mode goes back to it for calls without gradients: a program that never calls
    ``train()`` does not call ``eval()`` before every evaluation either. Layers that are kept in evaluation mode inside
    a network in training mode stay as they are.
    """

    kind: ClassVar[str] = "train-mode"

    @property
    def label(self) -> str:
        """What is done."""
        return "training mode while training"

    def apply(self, stage: Stage) -> None:
        """Set the mode right before every call of the networks."""
        import weakref

        import torch

        from unstuck.attach.untraced import untraced

        turned: weakref.WeakSet[nn.Module] = weakref.WeakSet()

        def set_mode(network: nn.Module, args: Any) -> None:
            if torch.is_grad_enabled() and not network.training:
                network.train()
                turned.add(network)
                stage.did(self.kind)
            elif not torch.is_grad_enabled() and network in turned:
                network.eval()
                turned.discard(network)

        sets_mode = untraced(set_mode)

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            network.register_forward_pre_hook(sets_mode)
            if any(_minds(layer) for layer in network.modules()):
                # The mode may be wrong only after an evaluation, which is later than a remedy is waited for.
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, "its network is in training mode and has no layer that minds")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the call to write before the training steps."""
        place = step_place(run)
        file, line = place or (None, None)
        sentence = f"write model.train() at the start of every epoch, before the forward pass of {named(place)}"
        return Edit(sentence, file, line, _pieces(run))


def _pieces(run: Run) -> tuple[Replacement, ...]:
    """Return the call before the loop of the batches, in it where it also evaluates, or where its function begins."""
    made, steps = optimizer_calls(run) or (), steps_of(run) or ()
    if len(made) != 1 or len(steps) != 1 or made[0].network is None:
        return ()
    model, step = made[0].network, steps[0]
    source, loop = step.source, step.loop
    scope = source.scope(step.statement)
    if not reachable(made[0], model, source, step.statement):
        return ()
    asides = _asides(source, step, model)
    if asides is None:
        return ()
    if loop is None:
        if not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return ()
        first = scope.body[ast.get_docstring(scope) is not None :][0]
    else:
        within = evaluates(source, loop) or any(loop in source.above(aside) for aside in asides)
        first = loop.body[0] if within else loop
    name = source.text(model)
    pieces = [source.before(first, f"{name}.train()"), *(source.before(aside, f"{name}.eval()") for aside in asides)]
    return tuple(piece for piece in pieces if piece is not None) if all(pieces) else ()


def _asides(source: Source, step: Step, model: ast.expr) -> list[ast.With] | None:
    """Return the blocks without gradients that call the network and count on the mode that it is in now.

    None where such blocks in other functions do not set the mode themselves: what they count on takes a person.
    """
    scope = source.scope(step.statement)
    loops = [one for one in source.above(step.statement) if isinstance(one, ast.For | ast.While)]
    found = []
    for mark in source.all(ast.Attribute):
        if mark.attr not in ("no_grad", "inference_mode"):
            continue
        block = source.statement(mark)  # of a decorator, the function
        holder = block if isinstance(block, ast.FunctionDef) else source.scope(mark)
        if holder is not scope and not any(called(call) == "eval" for call in source.all(ast.Call, within=holder)):
            return None
        if holder is scope and isinstance(block, ast.With):
            found.append(block)
    if any(evaluates(source, loop) for loop in loops):
        return []
    name = ast.unparse(model)
    return [b for b in found if any(ast.unparse(call.func) == name for call in source.all(ast.Call, within=b))]


def _minds(layer: nn.Module) -> bool:
    """Whether a layer does something else in evaluation mode."""
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.dropout import _DropoutNd

    dropout = getattr(layer, "dropout", 0.0)  # of recurrent layers and of attention
    return isinstance(layer, (_NormBase, _DropoutNd)) or (isinstance(dropout, float) and dropout > 0)
