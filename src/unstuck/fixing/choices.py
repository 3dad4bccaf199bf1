"""What a user chooses about trials, on the command line or in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unstuck.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from unstuck.trials.engines.engine import Engine
    from unstuck.trials.metric import Metric

ENGINES = ("local", "ray")
_BUDGET, _SEEDS = 3.0, 3
#: Seeds of the confirmation begin after that of the screening.
_FIRST_SEED = 2


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices about trials; None where the user leaves one to us.

    Attributes:
        trials_budget: How long the trials may take, in lengths of the program, on each slot.
        seeds: How many fresh seeds the winner is confirmed on.
        engine: What runs the trials: one of ``ENGINES``.
        slots: Trials at a time.
        metric: What the program prints that is raced by, as ``val accuracy``; the training loss where None.
        target: Its level that is to be reached, as ``0.96`` or ``96%``.
    """

    trials_budget: float | None = None
    seeds: int | None = None
    engine: str = "local"
    slots: int | None = None
    metric: str | None = None
    target: str | float | None = None

    @property
    def budget_factor(self) -> float:
        """Length of the race, in lengths of the program."""
        return _BUDGET if self.trials_budget is None else self.trials_budget

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """Numbers of the seeds that the winner is confirmed on."""
        return tuple(range(_FIRST_SEED, _FIRST_SEED + (_SEEDS if self.seeds is None else self.seeds)))

    def check(self, spelled: Callable[[str], str] = str) -> None:
        """Refuse what cannot be.

        Args:
            spelled: Returns what the user calls a choice, from its name here.

        Raises:
            UsageError: A choice is wrong.
        """
        if self.engine not in ENGINES:
            raise UsageError(f"{spelled('engine')} is one of {', '.join(ENGINES)}; got {self.engine!r}")
        factor, seeds, slots = self.trials_budget, self.seeds, self.slots
        if factor is not None and not _is_above(factor, 0, (int, float)):
            raise UsageError(f"{spelled('trials_budget')} is a number above 0, such as 3; got {_shown(factor)}")
        if seeds is not None and not _is_above(seeds, 1, int):
            name = spelled("seeds")
            raise UsageError(f"{name} is a whole number of 2 or more: one pair has no interval; got {_shown(seeds)}")
        if slots is not None and not _is_above(slots, 0, int):
            name = spelled("slots")
            raise UsageError(
                f"{name} is the number of trials that run at the same time, 1 or more; got {_shown(slots)}"
            )

        if self.metric is not None:
            from unstuck.trials.chosen import asked

            asked(self.metric, self._level)
        elif self.target is not None:
            example = f'{spelled("metric")} "val accuracy" {spelled("target")} {self.target}'
            raise UsageError(f"{spelled('target')} is a level of a metric, which has to be named too, as in: {example}")

    @property
    def _level(self) -> str | None:
        return None if self.target is None else str(self.target)

    def metric_of(self, run: Path) -> Metric | None:
        """Return the metric that is raced by, None for the training loss.

        Args:
            run: Folder of the watched run.

        Raises:
            UsageError: The program did not print it.
        """
        if self.metric is None:
            return None
        from unstuck.trials.chosen import asked, chosen

        return chosen(asked(self.metric, self._level), run)

    def open_engine(self) -> Engine:
        """Return the engine, which is to be closed.

        Raises:
            UsageError: It cannot be used, or the number of slots is wrong.
        """
        if self.engine == "ray":
            from unstuck.trials.engines.ray import RayEngine

            return RayEngine(slots=self.slots)
        from unstuck.trials.engines.local import LocalEngine

        return LocalEngine(self.slots)


def _is_above(value: Any, least: int, kind: Any) -> bool:
    """Whether what a caller has passed is a number above another one; callers in a notebook have no type checker."""
    return isinstance(value, kind) and bool(value > least)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else repr(value)
