"""What unstuck costs outside its measurements, where timing it directly would cost more than it does."""

from __future__ import annotations

from collections import deque

from unstuck.attach.budget import Budget

#: All that the hooks do at one ordinary step, as a multiple of the part that is timed now and then: found by switching
#: them on and off at random from step to step (20 microseconds beside 9.5, on two processors).
_HOOKS = 2.1


class Cost:
    """Keeps the accounts of a session for the hooks on ordinary steps, the pulse, and the slowness of captured steps.

    Args:
        budget: Is charged.
        start: Clock reading at the start.
    """

    def __init__(self, budget: Budget, start: float) -> None:
        self._budget = budget
        self._hook: deque[float] = deque(maxlen=15)
        self._total = 0
        self._since = start
        self._in_rounds = 0.0
        self._steps_in_rounds = 0
        self._pace: float | None = None

    def note_hook(self, seconds: float) -> None:
        """Note what the main part of the hooks took at one step."""
        self._hook.append(seconds)

    def drained(self, total: int, started: float, ended: float) -> None:
        """Charge the steps since the last drain of the pulse, and the drain itself.

        Args:
            total: Steps that all optimizers have taken so far.
            started: Clock reading before the drain.
            ended: Clock reading after it.
        """
        steps = total - self._total
        hooks = _HOOKS * sorted(self._hook)[len(self._hook) // 2] * steps if self._hook else 0.0
        self._budget.charge(ended - started + hooks)
        ordinary = steps - self._steps_in_rounds
        if ordinary > 0:
            pace = (started - self._since - self._in_rounds) / ordinary
            # A pause of the program between two steps (an evaluation) is not its pace.
            self._pace = pace if self._pace is None else min(pace, 1.1 * self._pace)
        self._total, self._since, self._in_rounds, self._steps_in_rounds = total, ended, 0.0, 0

    def round_ended(self, theirs: float, ours: float, steps: int) -> float:
        """Note a probe round, and return how much longer the program's own part took for being captured.

        Args:
            theirs: Seconds that the program's part took.
            ours: Seconds that the measurements took.
            steps: Optimizer steps in it.

        Returns:
            Seconds; none as long as no ordinary steps are known to compare with.
        """
        self._in_rounds += theirs + ours
        self._steps_in_rounds += steps
        return max(0.0, theirs - self._pace * steps) if self._pace is not None else 0.0
