"""``target-scaling``: a regression as if its targets had mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import at, loss_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

_KINDS = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "squared error", "absolute error")


@dataclass(frozen=True)
class ScaleTargets(Remedy):
    """The network's outputs are multiplied by the deviation of the first targets, and their mean is added.

    The gradient is that of the loss on standardised targets; the value of the loss stays that of the program, and so
    do the outputs' units, so that arms can be compared by it.
    """

    kind: ClassVar[str] = "target-scaling"

    @property
    def label(self) -> str:
        """What is done."""
        return "standardised targets"

    def apply(self, stage: Stage) -> None:
        """Scale outputs of the networks whose outputs a distance is taken of, from its first call on."""
        from unstuck.trials.inside.losses import DISTANCES, wrap_losses
        from unstuck.trials.inside.outputs import Outputs, scaled_loss

        networks: list[Outputs] = []

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            copied = [hook for hook in network._forward_hooks.values() if isinstance(hook, Outputs)]
            networks.extend(copied or [Outputs()])
            if not copied:
                network.register_forward_hook(networks[-1])

        wrap_losses(stage, DISTANCES, lambda call: scaled_loss(call, networks, stage, self.kind))
        stage.before_first_forward(meet)
        stage.cannot(self.kind, "no network's outputs go into a distance of torch as they are")

    def edit(self, run: Run) -> Edit:
        """Name the loss's line, and the numbers."""
        place = loss_line(run, lambda head: head["kind"] in _KINDS)
        sentence = (
            f"give {at(place)} standardised targets, (y - mean) / std with the mean and std of the training targets"
            f"{_numbers(run)}, and where predictions are used write out * std + mean"
        )
        return Edit(sentence, *(place[1:] if place is not None else (None, None)))


def _numbers(run: Run) -> str:
    """Return mean and deviation of the targets that the last probe saw, for a sentence."""
    for probe in reversed(run.probes):
        for head in probe.m.get("task", {}).get("heads", ()):
            mean, std = head["target"].get("mean"), head["target"].get("std")
            if head["kind"] in _KINDS and isinstance(mean, float) and isinstance(std, float):
                return f" (about {mean:.3g} and {std:.3g})"
    return ""
