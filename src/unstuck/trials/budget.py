"""What a race may take, and what its trials are expected to: by estimates alone, so that it is always the same plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unstuck.errors import UsageError
from unstuck.trials.metric import Metric

#: Shares of the program that the two rounds of the screening last for; combinations have the second one too.
FIRST, SECOND = 0.1, 0.3
#: Seconds that a race may take in any case, on each slot: short programs get every stage.
_FLOOR = 120.0
#: A program of fewer steps is always run in full.
_FEW_STEPS = 50
#: No trial is shorter, whatever its share: running medians need a few windows.
_LEAST_STEPS = 20
#: On another seed a run may be lost as many times later.
_BEYOND = 2
#: Printed values of a metric that the two rounds of the screening have at least: fewer say nothing.
_FIRST_VALUES, _SECOND_VALUES = 2, 4
#: A trial hangs that takes this many times its estimate, and a minute in any case.
_PATIENCE, _GRACE = 10.0, 60.0

_TUPLES = ("command", "apart", "seeds", "causes")


@dataclass(frozen=True, slots=True)
class RaceSettings:
    """What a race is about. The same settings and results give the same race.

    Attributes:
        folder: Where its trials are kept: the folder ``trials`` of the watched run.
        command: The program's command line, word by word.
        steps: Steps of the optimizer in the watched run, from its first to its last.
        seconds: How long the watched run took.
        startup: How much of it was over before the first step.
        optimizer: Number in the record of the optimizer that the race is about.
        apart: Numbers of those that step before or after it, in another phase of the program: they are left alone.
        slots: Trials that run at the same time; None for as many as the engine has.
        budget_factor: Length of the race, in lengths of the watched run.
        screening_seed: Number of the seed that candidates are screened on.
        plateau: Level that the watched run is stuck at, as that of the best constant prediction; None where it learned
            something. How fast that level is reached says nothing then, and what gets off it may do so late.
        lost: Steps after which the watched run's loss was no number any more; None where it stayed one. Before that,
            what keeps it from being lost only looks slower.
        seeds: Numbers of the seeds that the winner is confirmed on; they are fresh, and at least two.
        causes: Difficulties that the watched run's findings call causes, the most important first.
        metric: What is raced by instead of the loss, with its target; None for the loss.

    Raises:
        UsageError: There are no steps, or the seeds are too few or not fresh.
    """

    folder: Path
    command: tuple[str, ...]
    steps: int
    seconds: float
    startup: float = 0.0
    optimizer: int = 0
    apart: tuple[int, ...] = ()
    slots: int | None = None
    budget_factor: float = 3.0
    screening_seed: int = 1
    seeds: tuple[int, ...] = (2, 3, 4)
    plateau: float | None = None
    lost: int | None = None
    causes: tuple[str, ...] = ()
    metric: Metric | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UsageError(f"a race is about a program that takes steps; the watched run took {self.steps}")
        if len(set(self.seeds) - {self.screening_seed}) < max(2, len(self.seeds)):
            raise UsageError(
                f"a winner is confirmed on at least two seeds that differ and are not {self.screening_seed}, the "
                f"screening's; got {', '.join(map(str, self.seeds)) or 'none'}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON, without the folder, which may be moved (inverse of :meth:`from_json`)."""
        values = {**asdict(self), **{name: list(getattr(self, name)) for name in _TUPLES}}
        del values["folder"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any], folder: Path) -> RaceSettings:
        """Return the settings of a race whose trials are kept in a folder."""
        tuples = {name: tuple(values[name]) for name in _TUPLES}
        metric = Metric.from_json(values.get("metric"))
        return cls(folder, **{**values, **tuples, "metric": metric})

    @property
    def screening(self) -> tuple[int, int]:
        """Steps of the two rounds of the screening: the same, in full, where there is a plateau to get off."""
        if self.plateau is not None:
            return self.steps, self.steps
        return max(self.steps_of(FIRST), self.beyond), max(self.steps_of(SECOND), self.beyond)

    @property
    def beyond(self) -> int:
        """Steps by which the program as it is is lost on any seed, if it is on the watched one; else 0."""
        return min(self.steps, _BEYOND * (self.lost or 0))

    def steps_of(self, share: float) -> int:
        """Return the steps of a trial that lasts for a share of the program; of a metric, up to a printed value."""
        if self.steps < _FEW_STEPS:
            return self.steps
        steps = max(_LEAST_STEPS, round(share * self.steps))
        if self.metric is not None:
            least = _FIRST_VALUES if share <= FIRST else _SECOND_VALUES
            values = math.ceil(round(steps / self.metric.every, 6))  # a division that comes out even stays so
            steps = math.ceil(max(least, values) * self.metric.every)
        return min(self.steps, steps)


class Budget:
    """Seconds of computing, all slots together.

    Args:
        settings: The race.

    Attributes:
        total: What there is.
        spent: Estimates of all trials so far.
    """

    def __init__(self, settings: RaceSettings) -> None:
        self._startup = min(max(settings.startup, 0.0), settings.seconds)
        self._per_step = (settings.seconds - self._startup) / max(settings.steps, 1)
        self.slots = max(settings.slots or 1, 1)
        self.total = max(settings.budget_factor * settings.seconds, _FLOOR) * self.slots
        self.spent = 0.0

    @property
    def left(self) -> float:
        """What is left; below 0 where the least that a race needs is more than there was."""
        return self.total - self.spent

    def of(self, steps: int) -> float:
        """Return the seconds that a trial of some steps is expected to take."""
        return self._startup + steps * self._per_step

    def limit(self, steps: int) -> float:
        """Return the seconds after which a trial counts as hung; slots share the machine."""
        return round(_GRACE + _PATIENCE * self.of(steps), 3)

    def share(self, settings: RaceSettings, trials: int, least: float) -> float:
        """Return the largest share of the program, in twentieths, that a number of trials can have.

        Args:
            settings: The race.
            trials: How many.
            least: Share that they get in any case.
        """
        for twentieths in range(20, math.ceil(20 * least), -1):
            if trials * self.of(settings.steps_of(twentieths / 20)) <= self.left:
                return twentieths / 20
        return least
