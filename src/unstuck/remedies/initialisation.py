"""``initialisation``: other weights to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, listed, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

_WRITES = {
    "glorot": "nn.init.xavier_uniform_(weight)",
    "he": "nn.init.kaiming_normal_(weight, nonlinearity='relu')",
    "orthogonal": "nn.init.orthogonal_(weight)",
    "lsuv": "nn.init.orthogonal_(weight), then divide each weight by the standard deviation of its layer's outputs,",
}


@dataclass(frozen=True)
class Initialise(Remedy):
    """Linear, convolutional and recurrent layers start from fresh weights, and from biases of 0.

    Attributes:
        scheme: ``glorot``, ``he``, ``orthogonal``, ``lsuv`` (orthogonal, then scaled layer after layer until each
            gives outputs of variance 1; Mishkin and Matas 2015) or ``default`` (torch's own, biases too).
    """

    kind: ClassVar[str] = "initialisation"

    scheme: str

    def __post_init__(self) -> None:
        among(self.scheme, (*_WRITES, "default"), "initialisation")

    @property
    def label(self) -> str:
        """The scheme."""
        return f"{self.scheme} initialisation"

    def apply(self, stage: Stage) -> None:
        """Draw the weights of a network anew before its first forward pass; weights that were loaded stay."""
        from unstuck.trials.inside.loaded import Loaded
        from unstuck.trials.inside.weights import draw, layers_of, scale_by_outputs

        loaded = Loaded(stage)
        drawn: list[nn.Module] = []

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            layers = [layer for layer in layers_of(network) if all(layer is not other for other in drawn)]
            if loaded.among(layers):
                stage.cannot(self.kind, "the program has loaded its weights")
                return
            for layer in layers:
                draw(layer, self.scheme, len(drawn))
                drawn.append(layer)
            if self.scheme == "lsuv" and not scale_by_outputs(network, layers, args, kwargs):
                stage.cannot(self.kind, "the network cannot be run once on the side")
            elif layers:
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, "the network has no layer of torch that is trained")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the layers."""
        layers = weighed(run)
        place = first_line(layers)
        if self.scheme == "default":
            return Edit(f"leave the weights of {listed(layers)} as torch draws them", *place)
        recurrent = any(layer.kind == "recurrent" for layer in layers) and self.scheme in ("glorot", "he")
        extra = ", nn.init.orthogonal_ for recurrent weights" if recurrent else ""
        write = _WRITES[self.scheme]
        return Edit(f"write {write} and nn.init.zeros_(bias) for {listed(layers)}{extra}", *place)
