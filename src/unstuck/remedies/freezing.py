"""``freezing``: what half of the network is worth. Not a remedy to keep, but a counterfactual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, listed, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class FreezeHalf(Remedy):
    """The gradient of half of the network is zeroed before every step.

    Attributes:
        which: ``units`` (every second unit of each hidden layer) or ``layers`` (the first half of the layers).
    """

    kind: ClassVar[str] = "freezing"

    which: str

    def __post_init__(self) -> None:
        among(self.which, ("units", "layers"), "half")

    @property
    def label(self) -> str:
        """Which half."""
        return "every second hidden unit frozen" if self.which == "units" else "the first half of the layers frozen"

    @property
    def _needed(self) -> str:
        return "hidden linear or convolutional layer" if self.which == "units" else "second layer"

    def apply(self, stage: Stage) -> None:
        """Find the layers in a rehearsal, and zero before the steps."""
        from unstuck.trials.inside.freezing import Rows, hidden_rows, whole_layers
        from unstuck.trials.inside.rehearsal import rehearse

        frozen: list[tuple[Tensor, Rows]] = []

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            ops = rehearse(network, args, kwargs)
            found = hidden_rows(ops) if self.which == "units" else whole_layers(ops)
            frozen.extend(found)
            if found:
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, f"no {self._needed} is seen in a forward pass")

        def zero(optimizer: Optimizer, step: int) -> None:
            for parameter, rows in frozen:
                if parameter.grad is not None:
                    parameter.grad[rows] = 0

        stage.before_first_forward(meet)
        stage.before_step(zero)

    def edit(self, run: Run) -> Edit:
        """Say that there is nothing to write."""
        layers = weighed(run)
        half = layers[:-1] if self.which == "units" else layers[: len(layers) // 2]
        what = "half of the units" if self.which == "units" else "the weights"
        return Edit(f"nothing to write: this arm only shows what {what} of {listed(half)} add", *first_line(half))
