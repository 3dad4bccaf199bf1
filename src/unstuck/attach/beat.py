"""What the hooks do at an ordinary step, and nothing else.

A step of a small network takes half a millisecond, and our code comes to it with cold caches: every object that is
touched costs more than the work done on it. So an ordinary step touches one small object, calls no Python function, and
leaves everything else to the next moment at which something is due (see :meth:`unstuck.attach.session.Session.settle`).
"""

from __future__ import annotations

from array import array
from typing import Any

from torch import Tensor

from unstuck.attach.untraced import uncompiled

#: One loss, several where ``backward`` was called several times, none where it was not called.
Loss = float | Tensor | tuple[float | Tensor, ...] | None


class Beat:
    """What is noted until something is due.

    Attributes:
        key: ``id`` of the optimizer whose steps are ordinary; 0 where the next step has to be looked at.
        wake: Clock reading from which on a step is not ordinary.
        numbers: ``time, loss, lr`` of ordinary steps whose loss is a number, one after the other: kept for half a
            second without a new object per step.
        rows: ``(time, loss, lr)`` of ordinary steps with other losses. One of the two is always empty.
        loss: What ``backward`` was called on since the last step.
        wait: Seconds spent waiting for data so far.
    """

    __slots__ = ("key", "loss", "numbers", "rows", "wait", "wake")

    def __init__(self) -> None:
        self.numbers = array("d")
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.key = 0
        self.wake = 0.0
        del self.numbers[:]
        self.rows: list[tuple[float, Loss, float]] = []
        self.loss: Loss = None
        self.wait = 0.0

    def take(self) -> list[tuple[float, Loss, float]]:
        """Return the ordinary steps that were noted, and forget them."""
        rows, self.rows = self.rows, []
        if self.numbers:
            kept = self.numbers.tolist()
            del self.numbers[:]
            rows = list(zip(kept[::3], kept[1::3], kept[2::3], strict=True))
        return rows

    def off(self, *_: Any) -> None:
        """Let the next step be looked at."""
        self.key = 0


@uncompiled
def with_another(held: Loss, loss: float | Tensor) -> Loss:
    """Return the losses of a step with that of one more ``backward`` call."""
    if held is None:
        return loss
    return (*held, loss) if isinstance(held, tuple) else (held, loss)


def losses_in(loss: Loss) -> tuple[float | Tensor, ...]:
    """Return the losses one by one."""
    if loss is None:
        return ()
    return loss if isinstance(loss, tuple) else (loss,)
