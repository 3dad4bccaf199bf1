"""``weight-decay``: another weight decay in all parameter groups."""

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
class WeightDecay(Remedy):
    """The weight decay of every group.

    Attributes:
        value: At least 0.
    """

    kind: ClassVar[str] = "weight-decay"

    value: float

    @property
    def label(self) -> str:
        """The new value."""
        return f"weight decay {self.value:g}"

    def apply(self, stage: Stage) -> None:
        """Set it right before every step."""
        hold(stage, self.kind, {"weight_decay": self.value}, "its optimizer has no weight decay")

    def edit(self, run: Run) -> Edit:
        """Name it at the line that made the optimizer."""
        new = f"{self.value:g}"
        return keyword_edit(run, fixed("weight_decay", new), new)
