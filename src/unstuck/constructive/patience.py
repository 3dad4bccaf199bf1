"""When a phase of training ends, and which trials are still in it."""

from __future__ import annotations

import math


class Patience:
    """Says when a number has not changed for a while.

    Args:
        epochs: How long it may stay as it is; 0: for ever.
        change: Part of its last noted value by which it must move to count as changed.
        from_start: Whether waiting begins at once, or with the first change.
    """

    __slots__ = ("_change", "_end", "_epochs", "_last")

    def __init__(self, epochs: int, change: float, from_start: bool) -> None:
        self._epochs, self._change = epochs, change
        self._end: float = epochs if from_start else math.inf
        self._last: float | None = None

    def is_over(self, epoch: int, value: float) -> bool:
        """Note a value, and say whether the phase ends.

        Args:
            epoch: Number of the epoch in its phase, from 1.
            value: The error, or the score, measured in it.
        """
        if not self._epochs:
            return False
        if self._last is None:
            self._last = value
        elif abs(value - self._last) > self._last * self._change:
            self._last, self._end = value, epoch + self._epochs
        elif epoch >= self._end:
            return True
        return False


#: The batch is packed anew when no more than this part of it is still in training.
_PACK = 0.75


class Lanes:
    """The places of a batch and the trials in them. A trial that has ended keeps its place until the batch is packed.

    Args:
        count: Number of trials, which are numbered from 0.
        patience: One for each trial.
    """

    def __init__(self, count: int, patience: list[Patience]) -> None:
        self.trials: list[int | None] = list(range(count))
        self.patience = patience
        self.left = count

    def active(self) -> list[tuple[int, int]]:
        """Return place and trial of each that is still in training."""
        return [(place, trial) for place, trial in enumerate(self.trials) if trial is not None]

    def end(self, place: int) -> None:
        """Take the trial out of a place."""
        self.trials[place] = None
        self.left -= 1

    def pack(self) -> list[int] | None:
        """Return the places that are to be kept and number them anew; None where packing does not pay yet."""
        if not self.left or self.left > _PACK * len(self.trials):
            return None
        kept = [place for place, _ in self.active()]
        self.trials = [self.trials[place] for place in kept]
        return kept
