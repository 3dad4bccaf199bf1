"""``train-mode``: a network that is trained in evaluation mode is put into training mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

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
        sentence = f"write model.train() at the start of every epoch, before the forward pass of {named(place)}"
        return Edit(sentence, *(place or (None, None)))


def _minds(layer: nn.Module) -> bool:
    """Whether a layer does something else in evaluation mode."""
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.dropout import _DropoutNd

    dropout = getattr(layer, "dropout", 0.0)  # of recurrent layers and of attention
    return isinstance(layer, (_NormBase, _DropoutNd)) or (isinstance(dropout, float) and dropout > 0)
