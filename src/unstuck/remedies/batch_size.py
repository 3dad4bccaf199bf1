"""``batch-size``: the batches of the training's DataLoader, larger or smaller by a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.loader_edits import find_loader, loader_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class BatchSize(Remedy):
    """Loaders that feed the training make batches of ``factor`` times as many examples, at least one, at most all.

    Attributes:
        factor: Above 0.
    """

    kind: ClassVar[str] = "batch-size"
    changes_step: ClassVar[bool] = True

    factor: float

    @property
    def label(self) -> str:
        """The factor."""
        return f"batch size x {self.factor:g}" if self.factor >= 1 else f"batch size / {1 / self.factor:.3g}"

    def apply(self, stage: Stage) -> None:
        """Regroup the indices of the loaders that are gone through with gradients."""
        from unstuck.trials.inside.loaders import batched, treat_indices

        treat_indices(stage, self.kind, lambda loader, sampler: batched(sampler, self.factor))

    def edit(self, run: Run) -> Edit:
        """Name the new size where the old one is written at the loader, else how it changes."""
        place = find_loader(run)
        size = place.value("batch_size") if place is not None else None
        if isinstance(size, int):
            return loader_edit(run, {"batch_size": str(max(1, round(size * self.factor)))})
        where = f"at {place.file}:{place.line}" if place is not None else "where the training's DataLoader is made"
        sentence = f"make batch_size {self.factor:.3g} times what it is {where}"
        return Edit(sentence, place.file if place else None, place.line if place else None)
