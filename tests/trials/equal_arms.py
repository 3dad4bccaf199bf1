"""Races between arms that are all the same program, walked through the real plan with curves of real trials.

The curves are those of programs of ``tests/programs``, each on 16 seeds, which ``python -m benchmarks.equal_arms
--record`` has run as trials. In a simulated race every trial that the plan asks for gets a curve that no other trial of
that race has got, cut to the trial's steps: arms are the same program on other seeds, which is all that chance can do
to them. The pairs of real arms share their seeds and differ less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.trials.fake import Momentum
from unstuck.trials.arm import Arm
from unstuck.trials.budget import RaceSettings
from unstuck.trials.confirmation import confirm
from unstuck.trials.curve import Curve
from unstuck.trials.plan import Batches, Measured, Plan
from unstuck.trials.spec import Result, Trial

FILE = Path(__file__).parent / "data" / "equal_arms.npz"
#: Every so many steps the seconds of a trial are kept; between two of them they are a straight line.
EVERY = 16


@dataclass(frozen=True)
class ByTime(Momentum):
    """Compared by time."""

    kind: ClassVar[str] = "test-by-time"
    changes_step: ClassVar[bool] = True


@dataclass(frozen=True)
class Stored:
    """The trials of one program.

    Attributes:
        losses: A row per seed, a column per step.
        seconds: Seconds since the end of the first step, a row per seed, at steps 1, 17, 33, ..., and the last.
        startup: Seconds before the first step.
        plateau: Level that the program is stuck at, None where it learns.
    """

    losses: np.ndarray
    seconds: np.ndarray
    startup: float
    plateau: float | None

    @property
    def steps(self) -> int:
        return self.losses.shape[1]

    def curve(self, row: int, steps: int, speed: int = 1) -> Curve:
        """Return the curve of one seed, ended after some steps; of every so many only the first is done."""
        losses = self.losses[row, ::speed][:steps].astype(np.float64)
        at = np.arange(1.0, len(losses) + 1)
        return Curve(at, np.interp(at, kept_steps(self.steps), self.seconds[row]), losses)


def kept_steps(steps: int) -> np.ndarray:
    """Return the steps, from 1, whose seconds are kept."""
    return np.append(np.arange(1.0, steps, EVERY), steps)


def save(programs: Mapping[str, Stored], file: Path = FILE) -> None:
    """Write the curves of programs as single-precision numbers."""
    columns: dict[str, np.ndarray] = {}
    for name, stored in programs.items():
        columns[f"{name}/losses"] = stored.losses.astype(np.float32)
        columns[f"{name}/seconds"] = stored.seconds.astype(np.float32)
        columns[f"{name}/race"] = np.array([stored.startup, math.nan if stored.plateau is None else stored.plateau])
    np.savez_compressed(file, allow_pickle=False, **columns)


def load(file: Path = FILE) -> dict[str, Stored]:
    """Read the curves, by the programs' command lines."""
    with np.load(file) as columns:
        programs = {}
        for name in dict.fromkeys(key.rpartition("/")[0] for key in columns):
            startup, plateau = (float(value) for value in columns[f"{name}/race"])
            at = None if math.isnan(plateau) else plateau
            programs[name] = Stored(columns[f"{name}/losses"], columns[f"{name}/seconds"], startup, at)
    return programs


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        arms: Equal arms that are screened, of which the luckiest is confirmed, and perhaps the next; at most six where
            there are three seeds, or the curves run out. With one it is confirmed whatever the screening says.
        seeds: Pairs of a confirmation.
        by_time: Whether arms are compared by time instead of steps.
        slower: By how much the program is slower than it was: the budget of a race holds little of a long program.
        speed: One of so many steps of the arms is kept, so that they are faster than the program after all.
    """

    arms: int = 1
    seeds: int = 3
    by_time: bool = False
    slower: float = 1.0
    speed: int = 1


def proven(stored: Stored, setting: Setting, random: np.random.Generator) -> bool:
    """Simulate one race and return whether any of its arms is called proven.

    Args:
        stored: The program.
        setting: What is simulated.
        random: Deals out the curves.
    """
    training = float(np.median(stored.seconds[:, -1]))
    settings = RaceSettings(
        folder=Path("trials"),  # nothing is written
        command=("train",),
        steps=stored.steps,
        seconds=setting.slower * (stored.startup + training),
        startup=setting.slower * stored.startup,
        slots=2,
        seeds=tuple(range(2, 2 + setting.seeds)),
        plateau=stored.plateau,
    )
    remedy = ByTime if setting.by_time else Momentum
    plan = Plan(settings, [Arm((remedy(float(number)),), "step-too-small") for number in range(setting.arms)])
    batches = plan.batches() if setting.arms > 1 else _confirmation(plan)
    deck = iter(random.permutation(len(stored.losses)))
    dealt: dict[tuple[str, int], int] = {}

    def ended(trial: Trial) -> Measured:
        key = (trial.spec.arm, trial.spec.seed)
        if key not in dealt:
            dealt[key] = next(deck)
        speed = setting.speed if trial.spec.remedies else 1
        curve = stored.curve(dealt[key], trial.spec.steps or stored.steps, speed)
        return Measured(trial, Result("done", len(curve), float(curve.seconds[-1])), curve)

    try:
        batch = next(batches)
        while True:
            batch = batches.send([ended(trial) for trial in batch])
    except StopIteration:
        return bool(plan.table.proven)


def _confirmation(plan: Plan) -> Batches:
    """Confirm the only arm, though the screening might have dropped it."""
    yield from plan.measure(plan.table.rows, [plan.settings.screening_seed], plan.settings.screening[1])
    yield from confirm(plan, plan.table.rows)
