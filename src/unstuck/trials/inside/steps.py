"""Counting the steps of one optimizer, which a trial's numbers are noted against."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.trials.inside.stage import OnStep, Stage


class Steps:
    """The steps of the optimizer that the trial is counted by: the first to step, if the stage does not say.

    Args:
        stage: The hook points.
        then: Gets the optimizer and the number of each of them, from 0, right after it.

    Attributes:
        done: How many there were.
    """

    def __init__(self, stage: Stage, then: OnStep | None = None) -> None:
        self.done = 0
        self._first: weakref.ref[Optimizer] | None = None
        self._counts = stage.counts or self._is_first
        self._then = then
        stage.after_step(self._count, every=True)

    def _count(self, optimizer: Optimizer, step: int) -> None:
        if not self._counts(optimizer):
            return
        self.done = step + 1
        if self._then is not None:
            self._then(optimizer, step)

    def _is_first(self, optimizer: Optimizer) -> bool:
        self._first = self._first or weakref.ref(optimizer)
        return self._first() is optimizer


def is_first_rank() -> bool:
    """Whether this process is the one of a distributed run that speaks for all; so is a process that is alone."""
    return os.environ.get("RANK", "0") == "0"
