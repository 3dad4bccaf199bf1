"""Counting the steps of the first optimizer, which a trial's numbers are noted against."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.trials.inside.stage import OnStep, Stage


class Steps:
    """The steps that the first optimizer of the program has made.

    Args:
        stage: The hook points.
        then: Gets the optimizer and the number of each of them, from 0, right after it.

    Attributes:
        done: How many there were.
    """

    def __init__(self, stage: Stage, then: OnStep | None = None) -> None:
        self.done = 0
        self._first: int | None = None
        self._then = then
        stage.after_step(self._count)

    def _count(self, optimizer: Optimizer, step: int) -> None:
        if self._first is None:
            self._first = id(optimizer)
        if self._first != id(optimizer):
            return
        self.done = step + 1
        if self._then is not None:
            self._then(optimizer, step)


def is_first_rank() -> bool:
    """Whether this process is the one of a distributed run that speaks for all; so is a process that is alone."""
    return os.environ.get("RANK", "0") == "0"
