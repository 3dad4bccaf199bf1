"""``unfreeze``: the frozen parameters of a network are trained too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.parameters import audited
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Unfreeze(Remedy):
    """Frozen parameters of a network that is trained in part want gradients, and the first optimizer gets them.

    A network of which nothing is trained, such as a teacher, stays as it is.
    """

    kind: ClassVar[str] = "unfreeze"

    @property
    def label(self) -> str:
        """What is done."""
        return "frozen parameters trained"

    def apply(self, stage: Stage) -> None:
        """Unfreeze right before the first forward pass and add right before the first step."""
        from unstuck.remedies.adoption import Adoption

        thawed: list[Tensor] = []

        def thaw(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            for parameter in network.parameters():
                if not parameter.requires_grad and (parameter.is_floating_point() or parameter.is_complex()):
                    thawed.append(parameter.requires_grad_(True))

        stage.before_first_forward(thaw)
        Adoption(stage, self.kind, "no frozen parameter of a network in training gets a gradient", thawed)

    def edit(self, run: Run) -> Edit:
        """Name the parameters and the line that made the optimizer."""
        optimizer = run.optimizers[0]
        place = (
            f"before {optimizer.file}:{optimizer.line}" if optimizer.file and optimizer.line else "before it is made"
        )
        frozen = audited(run, "frozen")
        sentence = f"call requires_grad_(True) on the frozen layers{f' ({frozen})' if frozen else ''} {place}"
        return Edit(f"{sentence}, and give the optimizer model.parameters()", optimizer.file, optimizer.line)
