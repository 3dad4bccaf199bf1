"""What an experiment is, and what comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from unstuck.report.pictures.picture import Picture

#: How sure a published number is: read in the source itself, or remembered from it and not read again.
Sure = Literal["read", "remembered"]


@dataclass(frozen=True)
class Setting:
    """How an experiment is to be run.

    Attributes:
        quick: Whether it is the short form, of at most 20 seconds.
        seed: Seed of the first repetition; the others follow it.
        say: Takes a word on how far it is.
        device: Device that the networks are trained on.
    """

    quick: bool = False
    seed: int = 0
    say: Callable[[str], None] = field(default=lambda text: None, compare=False)
    device: str = "cpu"


@dataclass(frozen=True)
class Comparison:
    """One number of ours, beside the published one where there is one.

    Attributes:
        what: What is counted or measured, with its unit.
        ours: Our number.
        spread: How far it varies, in words: ``96.30 to 96.61, 3 seeds``.
        published: The published number, as printed; empty where there is none.
        source: Where that stands.
        sure: How sure it is that it stands there.
        band: Range within which ours agrees with it; None where nothing is compared, as in most short forms.
        form: Format of the number.
        timed: Whether it is a time or a speed of this machine, which no seed repeats.
    """

    what: str
    ours: float
    spread: str = ""
    published: str = ""
    source: str = ""
    sure: Sure = "read"
    band: tuple[float, float] | None = None
    form: str = ".4g"
    timed: bool = False

    @property
    def agrees(self) -> bool | None:
        """Whether ours lies within the band; None where there is none."""
        return None if self.band is None else self.band[0] <= self.ours <= self.band[1]

    @property
    def shown(self) -> str:
        """Our number as it is printed."""
        return format(self.ours, self.form)


@dataclass(frozen=True)
class Outcome:
    """What came of an experiment.

    Attributes:
        seen: Three sentences on what is seen, with its numbers, for one who never heard of it.
        comparisons: The numbers.
        pictures: The pictures; their names begin with the experiment's.
        settings: The exact setting, by name, in the order in which it is told.
        notes: What differs from the publication, and what was left out.
    """

    seen: tuple[str, str, str]
    comparisons: tuple[Comparison, ...]
    pictures: tuple[Picture, ...]
    settings: Mapping[str, str]
    notes: tuple[str, ...] = ()


class Experiment(ABC):
    """One experiment. The first line of its docstring says what it shows.

    Attributes:
        name: Name on the command line.
        title: Heading of its page.
        source: Publication that it is taken from.
        difficulties: Those of ``unstuck`` that measure what is seen, as ``unstuck explain`` names them.
        command: Line that shows it on one's own program.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    difficulties: ClassVar[tuple[str, ...]]
    command: ClassVar[str]

    @abstractmethod
    def run(self, setting: Setting) -> Outcome:
        """Run it.

        Args:
            setting: How.
        """


@dataclass(frozen=True)
class Performed:
    """An experiment that was run.

    Attributes:
        experiment: The experiment.
        setting: How.
        outcome: What came of it; None where it failed.
        seconds: How long it took.
        problem: Why it failed, in one line.
    """

    experiment: Experiment
    setting: Setting
    outcome: Outcome | None
    seconds: float
    problem: str = ""

    @property
    def verdict(self) -> str:
        """Whether all numbers agree with the published ones, in a word or two."""
        if self.outcome is None:
            return "failed"
        known = [comparison.agrees for comparison in self.outcome.comparisons if comparison.agrees is not None]
        if not known:
            return "nothing to compare"
        return "agrees" if all(known) else f"{sum(known)} of {len(known)} agree"

    @property
    def headline(self) -> Comparison | None:
        """The number that stands for the experiment: the first that is compared, else the first."""
        rows = self.outcome.comparisons if self.outcome else ()
        return next((row for row in rows if row.band is not None), rows[0] if rows else None)

    def to_json(self) -> dict[str, Any]:
        """Return numbers and words as JSON."""
        experiment, outcome = self.experiment, self.outcome
        return {
            "schema": 1,
            "name": experiment.name,
            "title": experiment.title,
            "source": experiment.source,
            "difficulties": list(experiment.difficulties),
            "quick": self.setting.quick,
            "seed": self.setting.seed,
            "seconds": round(self.seconds, 3),
            "verdict": self.verdict,
            "problem": self.problem,
            "seen": list(outcome.seen) if outcome else [],
            "settings": dict(outcome.settings) if outcome else {},
            "notes": list(outcome.notes) if outcome else [],
            "comparisons": [
                {
                    "what": row.what,
                    "ours": row.ours,
                    "spread": row.spread,
                    "published": row.published,
                    "source": row.source,
                    "sure": row.sure,
                    "band": list(row.band) if row.band else None,
                    "agrees": row.agrees,
                    "timed": row.timed,
                }
                for row in (outcome.comparisons if outcome else ())
            ],
        }
