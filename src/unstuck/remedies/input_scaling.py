"""``input-scaling``: what the network reads has mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import first_line, listed, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class ScaleInputs(Remedy):
    """Every feature of the inputs is standardised with the mean and the deviation that it has in the first batch."""

    kind: ClassVar[str] = "input-scaling"

    @property
    def label(self) -> str:
        """What is done."""
        return "standardised inputs"

    def apply(self, stage: Stage) -> None:
        """Standardise right before every call of the networks, in training and in evaluation."""
        from unstuck.trials.inside.inputs import Standardise

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            if any(isinstance(hook, Standardise) for hook in network._forward_pre_hooks.values()):
                return  # a copy of a network that has one
            hook = Standardise(network, args, kwargs)
            if hook:
                network.register_forward_pre_hook(hook, with_kwargs=True)
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, "no floating inputs that vary over a batch go into the network")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the layer that reads them."""
        layers = weighed(run)[:1]
        what = f"before {listed(layers)}" if layers else "before the network"
        how = "(x - mean) / std, with the mean and std of each feature in the training data"
        return Edit(f"standardise the inputs {what}: {how}", *first_line(layers))
