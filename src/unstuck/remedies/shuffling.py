"""``shuffling``: the DataLoader of the training goes through its examples in a new random order at every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.loader_edits import loader_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Shuffle(Remedy):
    """Loaders that take a map-style dataset in its order take it in random ones, where they feed the training.

    A program that cuts its batches itself, or whose loader has a sampler of its own, is left as it is.
    """

    kind: ClassVar[str] = "shuffling"

    @property
    def label(self) -> str:
        """What is done."""
        return "shuffled batches"

    def apply(self, stage: Stage) -> None:
        """Give the loaders that are gone through with gradients random orders, from random numbers of their own."""
        from functools import partial
        from weakref import WeakKeyDictionary

        from unstuck.trials.inside.loaders import shuffled, treat_indices

        treat_indices(stage, self.kind, partial(shuffled, WeakKeyDictionary()))

    def edit(self, run: Run) -> Edit:
        """Name the argument."""
        return loader_edit(run, {"shuffle": "True"})
