"""The words a diagnosis is made of: where, cost, finding, verdict.

They are plain frozen data, so that every difficulty speaks the same language and every output format can render any
of them. ``to_json`` gives the public form of ``report.json`` (schema 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["cause", "symptom", "note"]
State = Literal["healthy", "converged", "slow", "stuck", "diverged", "wrong", "unknown"]

#: From best to worst, as ``--fail-on`` compares them. ``unknown`` means that too little was seen to judge.
STATES: tuple[State, ...] = ("healthy", "converged", "unknown", "slow", "stuck", "diverged", "wrong")


@dataclass(frozen=True, slots=True)
class Where:
    """The place that holds a difficulty: a layer or parameter of the network, and a line of the user's program."""

    layer: str | None = None
    parameter: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """Return ``file:line (layer)`` as far as it is known."""
        place = f"{self.file}:{self.line}" if self.file and self.line else ""
        thing = self.parameter or self.layer or ""
        return f"{place} ({thing})" if place and thing else place or thing


@dataclass(frozen=True, slots=True)
class Cost:
    """How many times slower the run is than it would be without the difficulty, with a range.

    ``float("inf")`` means that the run does not get there at all.
    """

    times_slower: float
    low: float
    high: float
    measured_by: Literal["estimate", "trial"] = "estimate"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difficulty found in a run.

    Attributes:
        difficulty: Name in the catalogue, such as ``"step-too-small"``.
        role: ``cause`` (accused), ``symptom`` (follows from a cause) or ``note`` (harmless, or at the end of a run).
        confidence: From 0 to 1.
        sentence: What was seen and what it means, with the numbers, for one who never heard of the difficulty.
        where: Place that holds it.
        cost: How much slower it makes the run; ``None`` where no honest estimate exists.
        evidence: The numbers behind the sentence, JSON values only.
        remedies: What to write instead, the best first.
        explains: Names of the findings of this run that follow from this one.
        step: Optimizer step at which it was first seen, to mark it on the loss curve.
        optimizer: Number in the record of the optimizer whose training it is about; set by the diagnosis.
    """

    difficulty: str
    role: Role
    confidence: float
    sentence: str
    where: Where = field(default_factory=Where)
    cost: Cost | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    step: int | None = None
    optimizer: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The run in one word and one sentence."""

    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Something that the diagnosis would have needed and did not get, with the reason."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Overhead:
    """Time that ``unstuck`` itself took inside the program: a fraction of the program's own time, and seconds."""

    fraction: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that a run's record says: verdict, findings (most important first), and what was not measured."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    not_measured: tuple[NotMeasured, ...]
    overhead: Overhead
