"""``zeroing``: the gradients of a step are cleared after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.editing.loop import steps_of
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.steps import named, step_place

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Zeroing(Remedy):
    """Every step begins without the gradients of the steps before; those of several backward calls still add up."""

    kind: ClassVar[str] = "zeroing"

    @property
    def label(self) -> str:
        """What is done."""
        return "gradients zeroed after every step"

    def apply(self, stage: Stage) -> None:
        """Clear them right after every step."""

        def clear(optimizer: Optimizer, step: int) -> None:
            if any(p.grad is not None for group in optimizer.param_groups for p in group["params"]):
                stage.did(self.kind)
                optimizer.zero_grad(set_to_none=True)
            else:
                stage.cannot(self.kind, "no gradients are left after a step")

        stage.after_step(clear)

    def edit(self, run: Run) -> Edit:
        """Name the call to write after the step."""
        place = step_place(run)
        file, line = place or (None, None)
        sentence = f"write optimizer.zero_grad() after {named(place)}"
        pieces = [s.source.after(s.statement, f"{s.optimizer}.zero_grad()") for s in steps_of(run) or ()]
        found = tuple(piece for piece in pieces if piece is not None) if all(pieces) else ()
        return Edit(sentence, file, line, found)
