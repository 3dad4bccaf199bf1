"""The words a check is made of, and how one is put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from unstuck.difficulties.case import Case
from unstuck.difficulties.finding import Finding, Where

Status = Literal["pass", "fail", "not measured"]
#: A finding of at least this confidence rests on exact evidence; what a course must show is not seen in a few steps.
_SURE = 0.85


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the first steps of a program, and its answer.

    Attributes:
        name: Its name, fixed once released.
        title: The question in a few words.
        status: ``pass``, ``fail``, or ``not measured``.
        sentence: What was seen, and what to write where it failed; why, where it was not measured.
        where: The place to change, where it failed and is known.
        evidence: The numbers behind it, JSON values only.
    """

    name: str
    title: str
    status: Status
    sentence: str
    where: Where | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A check before it is answered: its name, its title, and the difficulties that make it fail.

    Attributes:
        name: See :class:`Check`.
        title: See :class:`Check`.
        covers: Names of the difficulties that belong to it.
    """

    name: str
    title: str
    covers: tuple[str, ...] = ()

    def passed(self, sentence: str, **evidence: Any) -> Check:
        """Answer that all is well."""
        return Check(self.name, self.title, "pass", sentence, None, evidence)

    def failed(self, sentence: str, where: Where | None, **evidence: Any) -> Check:
        """Answer that something is wrong, and where."""
        return Check(self.name, self.title, "fail", sentence, where, evidence)

    def unmeasured(self, why: str) -> Check:
        """Answer that it could not be seen, with one clause that says why."""
        return Check(self.name, self.title, "not measured", f"Not measured: {why}.")

    def accused(self, findings: Iterable[Finding]) -> Check | None:
        """Return the failure that a difficulty found in the run means, None where none belongs to this check.

        Args:
            findings: All findings, the most important first.
        """
        for finding in findings:
            if finding.difficulty in self.covers and finding.confidence >= _SURE:
                remedy = f" To do: {finding.remedies[0]}." if finding.remedies else ""
                sentence = finding.sentence + ("" if _says_what(finding) else remedy)
                return self.failed(sentence, finding.where, difficulty=finding.difficulty, **finding.evidence)
        return None


def _says_what(finding: Finding) -> bool:
    """Whether the sentence holds the remedy already."""
    return any(word in finding.sentence for word in (" Write ", " write ")) or (
        bool(finding.remedies) and finding.remedies[0] in finding.sentence
    )


def measured(case: Case, name: str) -> list[dict[str, Any]]:
    """Return a measurement of all probes that have it, in order."""
    return [value for p in case.probes if isinstance(value := p.m.get(name), dict)]


def why_not(case: Case, name: str) -> str:
    """Return why a measurement is missing, in one clause."""
    if not case.probes:
        return "no step could be measured"
    for probe in case.probes:
        if name in probe.failed:
            return probe.failed[name]
    unplayed = [str(p.replay.get("why")) for p in case.probes if not p.replay.get("ok")]
    return f"the step cannot be computed again ({unplayed[0]})" if unplayed else "this version does not measure it"


def at_loss(case: Case) -> Where:
    """Return the line that compares outputs with targets, the last layer's where it is not known."""
    for task in measured(case, "task"):
        for head in task.get("heads") or ():
            if isinstance(head, dict) and isinstance(head.get("file"), str):
                return Where(file=head["file"], line=head.get("line"))
    return case.at_layer(case.layers[-1].name if case.layers else None)
