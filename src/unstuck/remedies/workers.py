"""``workers``: processes that load the data of the training while it computes, for a program that waits for data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.loader_edits import loader_edit
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Workers(Remedy):
    """Loaders that feed the training get worker processes, which live as long as the loader.

    Random transformations of the data draw other random numbers then, as they do after the edit. A dataset that is a
    stream would come once from every worker, so its loader is left as it is.

    Attributes:
        count: Workers of each loader.
    """

    kind: ClassVar[str] = "workers"

    count: int

    @property
    def label(self) -> str:
        """The number of workers."""
        return f"{self.count} loading workers"

    def apply(self, stage: Stage) -> None:
        """Set the number right before a loader is gone through with gradients."""
        from weakref import WeakSet

        from torch.utils.data import IterableDataset

        from unstuck.trials.inside.loaders import when_training

        staffed: WeakSet[Any] = WeakSet()

        def staff(loader: Any) -> None:
            if isinstance(loader.dataset, IterableDataset):
                stage.cannot(self.kind, "its dataset is a stream")
            elif loader in staffed:
                return
            elif loader.num_workers >= self.count:
                stage.cannot(self.kind, f"its DataLoader has {loader.num_workers} workers already")
            else:
                vars(loader).update(  # a loader refuses some of these as attributes once it is made
                    num_workers=self.count,
                    prefetch_factor=loader.prefetch_factor or 2,
                    persistent_workers=True,
                    _iterator=None,
                )
                staffed.add(loader)
                stage.did(self.kind)

        when_training(stage, self.kind, staff)

    def edit(self, run: Run) -> Edit:
        """Name the arguments."""
        return loader_edit(run, {"num_workers": str(self.count), "persistent_workers": "True"})
