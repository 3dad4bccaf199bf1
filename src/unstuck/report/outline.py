"""The findings of a diagnosis in the order in which a person reads them: causes, with their symptoms under them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unstuck.difficulties.finding import Diagnosis, Finding


@dataclass(frozen=True)
class Entry:
    """A finding with the number that marks it in text and pictures, and the symptoms that it explains."""

    number: int
    finding: Finding
    symptoms: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Outline:
    """Findings by role; ``symptoms`` are those that no cause of this run explains."""

    causes: tuple[Entry, ...]
    symptoms: tuple[Entry, ...]
    notes: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        """Yield every finding once, in the order of the numbers."""
        for entry in (*self.causes, *self.symptoms, *self.notes):
            yield entry
            yield from entry.symptoms


def outline(diagnosis: Diagnosis) -> Outline:
    """Return the findings of ``diagnosis`` arranged and numbered; each symptom stands under the first cause for it."""
    pending = [f for f in diagnosis.findings if f.role == "symptom"]
    number = 0
    causes: list[Entry] = []
    for finding in (f for f in diagnosis.findings if f.role == "cause"):
        number += 1
        own, pending = _explained(finding, pending)
        causes.append(Entry(number, finding, tuple(Entry(number + 1 + i, f) for i, f in enumerate(own))))
        number += len(own)
    symptoms = tuple(Entry(number + 1 + i, f) for i, f in enumerate(pending))
    number += len(pending)
    notes = [f for f in diagnosis.findings if f.role == "note"]
    return Outline(tuple(causes), symptoms, tuple(Entry(number + 1 + i, f) for i, f in enumerate(notes)))


def _explained(cause: Finding, symptoms: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Split ``symptoms`` into those that follow from ``cause``, also by way of another symptom, and the rest."""
    names = set(cause.explains)
    while True:
        reached = {name for f in symptoms if f.difficulty in names for name in f.explains}
        if reached <= names:
            break
        names |= reached
    return [f for f in symptoms if f.difficulty in names], [f for f in symptoms if f.difficulty not in names]
