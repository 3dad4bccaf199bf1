"""``betas``: other averaging factors for the optimizers of Adam's family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.groups import hold
from unstuck.remedies.places import fixed, keyword_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Betas(Remedy):
    """The averaging factors of every group.

    Attributes:
        beta1: Of the gradients; at least 0 and below 1.
        beta2: Of their squares; at least 0 and below 1.
    """

    kind: ClassVar[str] = "betas"

    beta1: float
    beta2: float

    @property
    def label(self) -> str:
        """Both factors."""
        return f"betas {self.beta1:g} and {self.beta2:g}"

    def apply(self, stage: Stage) -> None:
        """Set them right before every step."""
        hold(stage, self.kind, {"betas": (self.beta1, self.beta2)}, "its optimizer is not of Adam's family")

    def edit(self, run: Run) -> Edit:
        """Name them at the line that made the optimizer."""
        new = f"({self.beta1:g}, {self.beta2:g})"
        return keyword_edit(run, fixed("betas", new), new)
