"""What no change from outside can mend: it has no remedy, and the report says why."""

from __future__ import annotations

from unstuck.difficulties.finding import Diagnosis, Finding

#: Difficulties that no change from outside can mend, and why.
NEEDS_A_PERSON = {
    "targets-misaligned": "only the program's author knows which target belongs to which input",
    "wrong-gradient": "the backward formula has to be written anew",
    "detached-graph": "the line that cuts the graph has to be deleted",
}


#: Evidence of a finding about evaluations. They are no part of the training: no trial could tell a remedy from none.
_OF_EVALUATIONS = {("wrong-mode", "normalisations in training mode"): "it spoils the evaluations, not the training"}


def why_by_hand(finding: Finding) -> str | None:
    """Return why no trial can mend a finding, None where one may.

    Args:
        finding: The finding.
    """
    for (name, evidence), why in _OF_EVALUATIONS.items():
        if finding.difficulty == name and evidence in finding.evidence:
            return why
    return NEEDS_A_PERSON.get(finding.difficulty)


def not_tried(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Return the causes that no trial can mend, each with the reason."""
    causes = [(f.difficulty, why_by_hand(f)) for f in diagnosis.findings if f.role == "cause"]
    return [(name, why) for name, why in dict(causes).items() if why is not None]
