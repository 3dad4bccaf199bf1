"""``learning-rate``: the learning rate times a factor, at every step, whatever schedule sets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.places import keyword_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class LearningRate(Remedy):
    """Every group's learning rate times ``factor``. Schedules keep their shape.

    Attributes:
        factor: Above 0.
    """

    kind: ClassVar[str] = "learning-rate"

    factor: float

    @property
    def label(self) -> str:
        """The factor."""
        return f"learning rate x {self.factor:g}" if self.factor >= 1 else f"learning rate / {1 / self.factor:.3g}"

    def apply(self, stage: Stage) -> None:
        """Scale the rate right before every step; it is put back after it, so schedulers see their own."""

        def scale(optimizer: Optimizer, step: int) -> None:
            for group in optimizer.param_groups:
                if "lr" in group:
                    stage.did(self.kind)
                    group["lr"] = group["lr"] * self.factor

        stage.before_step(scale)

    def edit(self, run: Run) -> Edit:
        """Name the new rate at the line that made the optimizer."""

        def scaled(group: Mapping[str, Any]) -> str | None:
            rate = group.get("lr")
            return f"{rate * self.factor:.3g}" if isinstance(rate, (int, float)) else None

        return keyword_edit(run, {"lr": scaled}, f"{self.factor:g} times its value")
