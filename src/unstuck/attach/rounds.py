"""When probe rounds begin and end."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING

from torch.optim import Optimizer

from unstuck.attach.capture import Capture
from unstuck.attach.probe import Prober
from unstuck.attach.untraced import in_compiled_code

if TYPE_CHECKING:
    from unstuck.attach.session import Session
    from unstuck.attach.track import Track

#: A round that is due but cannot be paid for is thought of again after this share of the time since the start.
_PATIENCE = 0.001
#: A round whose thread has not gone on while others took so many steps is given up.
_ABANDONED = 256


class Rounds:
    """The probe rounds of a session, one after the other.

    Args:
        session: The session that they belong to.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._prober = Prober(session)
        self.capture: Capture | None = None
        self.postponed: int | None = None
        self._closer: Track | None = None
        self._unlifted: list[Capture] = []
        self._consider_at = session.start if session.settings.probes else math.inf

    @property
    def idle(self) -> bool:
        """Whether nothing of a round lies over torch, and none waits for its moment."""
        return self.capture is None and self.postponed is None and not self._unlifted

    @property
    def due(self) -> float:
        """The clock reading from which on a round is thought of; one that a step's number asks for may be later."""
        return max(self._consider_at, self._session.budget.next_time)

    def optimizer_made(self, optimizer: Optimizer) -> None:
        """Capture the first step of an optimizer, where nothing has stepped yet."""
        session = self._session
        if self.capture is not None:
            self.capture.waiting.add(id(optimizer))
        elif session.settings.probes and session.budget.wants(0, perf_counter()):
            self._open(0)

    def consider(self, track: Track, step: int, now: float) -> None:
        """Begin a round where one is due, after the step of the optimizer whose step ended the last one.

        Args:
            track: What is kept about the optimizer that has just stepped.
            step: Number of its next step.
            now: Clock reading.
        """
        session = self._session
        budget = session.budget
        if now < self._consider_at or (step < budget.next_step and now < budget.next_time):
            return
        at_its_end = self._closer is None or self._closer is track or not self._closer.takes_part(session.total)
        if at_its_end and not session.faulty:
            if not budget.wants(step, now):
                self._consider_at = now + _PATIENCE * (now - session.start)
            elif in_compiled_code():
                self.postponed = step  # a mode laid here would be compiled into the program
            else:
                self._open(step)

    def compiled_code_ended(self) -> None:
        """Begin the round that could not be started while compiled code was running."""
        if self.postponed is not None and not in_compiled_code():
            step, self.postponed = self.postponed, None
            if self.capture is None:
                self._open(step)

    def _open(self, step: int) -> None:
        started = perf_counter()
        session = self._session
        session.looks_before_steps = True
        session.beat.off()
        session.evaluations.close()
        self.capture = Capture(session.optimizers(), step, session.total, session.modules)
        session.guarded("starting a probe", self.capture.open)
        self._prober.opened(started)

    def step_ended(self, track: Track, optimizer: Optimizer) -> None:
        """Go on with the round that is under way."""
        assert self.capture is not None
        if self.capture.mine:
            self._session.guarded("a probe step", self._prober.step_ended, track, optimizer)
        elif self._session.total - self.capture.total > _ABANDONED:
            self.end()

    def close(self, last: Track) -> None:
        """Take the capture away; the optimizer that ended it is the one after whose steps rounds begin from now on."""
        self.end()
        self._closer = last

    def end(self) -> None:
        """Take the capture away, if there is one."""
        capture, self.capture = self.capture, None
        if capture is not None and not capture.end():
            self._unlifted.append(capture)

    def lift(self) -> None:
        """Take away the modes of captures that ended at a moment when that could not be done."""
        if self._unlifted:
            self._unlifted = [capture for capture in self._unlifted if not capture.end()]
