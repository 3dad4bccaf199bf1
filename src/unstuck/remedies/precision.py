"""``precision``: numbers with more digits, or with a larger range, than the program computes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.precision_edit import precision_edit
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Precision(Remedy):
    """The program computes in another type of numbers.

    A step in it may take longer or shorter, which a speed-up in steps does not show; that in seconds does.

    Attributes:
        to: ``float32``: all of float16 and bfloat16 becomes float32, and autocast to them is off. ``bfloat16``:
            autocast to float16 casts to bfloat16, which has the range of float32. ``float64``: networks and loose
            parameters compute in float64, and what was float64 is not cast down.
    """

    kind: ClassVar[str] = "precision"

    to: str

    def __post_init__(self) -> None:
        among(self.to, ("float32", "bfloat16", "float64"), "precision")

    @property
    def label(self) -> str:
        """The new type."""
        return "autocast to bfloat16" if self.to == "bfloat16" else f"computed in {self.to}"

    def apply(self, stage: Stage) -> None:
        """Let all that asks for a narrow type get the wide one."""
        import torch

        from unstuck.trials.inside.precision import LOW, Widened, set_autocast

        def did() -> None:
            stage.did(self.kind)

        if self.to == "bfloat16":
            set_autocast(stage, (torch.float16,), torch.bfloat16, did)
            stage.cannot(self.kind, "no autocast to float16 is seen")
        elif self.to == "float32":
            set_autocast(stage, LOW, None, did)
            Widened(stage, LOW, torch.float32, True, did)
            stage.cannot(self.kind, "the program asks for no number of 16 bits")
        else:
            set_autocast(stage, LOW, None, did)
            Widened(stage, (torch.float32,), torch.float64, False, did)
            stage.cannot(self.kind, "no network and no optimizer with weights in float32 is seen")

    def edit(self, run: Run) -> Edit:
        """Name the lines that ask for the narrow type, where they are seen."""
        return precision_edit(run, self.to)
