"""What is different in a process that ``unstuck check`` watches: its first steps are all probed, and then it ends."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import TYPE_CHECKING

from unstuck.attach.budget import Budget

if TYPE_CHECKING:
    from unstuck.attach.session import Session

#: Rounds that are probed: the first steps, and enough batches to see whether they are alike.
_ROUNDS = 9
#: Seconds of measuring after which no further round begins.
_MEASURING = 25.0
#: Seconds since the start of the process after which no further round begins; a slow program has shown what it can.
_ELAPSED = 40.0


class CheckBudget(Budget):
    """Lets every step be probed until enough was seen.

    Args:
        start: Clock reading at the start.
    """

    def __init__(self, start: float) -> None:
        super().__init__(1.0, math.inf, start)

    def wants(self, step: int, now: float) -> bool:
        """Whether a step should be a probe: each one."""
        return True

    def allowed(self, now: float) -> float:
        """Return the seconds that may be spent on probes."""
        return _MEASURING

    def took(self, step: int, seconds: float, now: float) -> None:
        """Note a probe; the next step is the next one."""
        self.spent += seconds
        self.probes += 1
        self.next_step, self.next_time = step + 1, now

    def is_over(self, now: float) -> bool:
        """Whether enough was seen, or enough time spent.

        Args:
            now: Clock reading.
        """
        return self.probes > 0 and (self.probes >= _ROUNDS or self.spent >= _MEASURING or now - self._start >= _ELAPSED)


def leave(session: Session, reason: str = "check") -> None:
    """Write the last lines and end this process at once, as a success.

    ``os._exit`` on purpose: the program was asked for its first steps only. An exception or ``sys.exit`` would let it
    go on in its ``except`` and ``finally`` clauses and its ``atexit`` handlers, which save half-trained checkpoints
    over good ones, upload results or start the next phase.

    Args:
        session: The session of this process.
        reason: Why, for the record.
    """
    session.finish(reason)
    for stream in (sys.stdout, sys.stderr):  # what the program has printed is its user's to see
        with contextlib.suppress(Exception):
            stream.flush()
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:  # a loader's workers notice only after seconds that nobody is there any more
        for child in multiprocessing.active_children():
            with contextlib.suppress(Exception):
                child.terminate()
    os._exit(0)
