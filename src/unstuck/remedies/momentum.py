"""``momentum``: momentum for gradient descent and RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.groups import hold
from unstuck.remedies.places import fixed, keyword_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Momentum(Remedy):
    """The momentum of every group.

    Attributes:
        value: At least 0 and below 1.
        nesterov: Whether it is Nesterov's.
    """

    kind: ClassVar[str] = "momentum"

    value: float
    nesterov: bool = False

    @property
    def label(self) -> str:
        """The new value."""
        return f"Nesterov momentum {self.value:g}" if self.nesterov else f"momentum {self.value:g}"

    def apply(self, stage: Stage) -> None:
        """Set it right before every step; torch makes the averages when it first needs them."""
        values: dict[str, Any] = {"momentum": self.value}
        missing = "its optimizer has no momentum of this kind"
        if self.nesterov:
            values |= {"nesterov": True, "dampening": 0}  # which torch wants of it
        hold(stage, self.kind, values, missing)

    def edit(self, run: Run) -> Edit:
        """Name it at the line that made the optimizer."""
        new = fixed("momentum", f"{self.value:g}")
        if self.nesterov:
            new["nesterov"] = lambda group: None if group.get("nesterov") or "momentum" not in group else "True"
            new["dampening"] = lambda group: "0" if group.get("dampening") else None
        return keyword_edit(run, new, f"{self.value:g}")
