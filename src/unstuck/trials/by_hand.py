"""What no change from outside can mend: it has no remedy, and the report says why."""

from __future__ import annotations

from unstuck.difficulties.finding import Diagnosis

#: Difficulties that no change from outside can mend, and why.
NEEDS_A_PERSON = {
    "targets-misaligned": "only the program's author knows which target belongs to which input",
    "wrong-gradient": "the backward formula has to be written anew",
    "detached-graph": "the line that cuts the graph has to be deleted",
}


def not_tried(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Return the causes that no trial can mend, each with the reason."""
    causes = [f.difficulty for f in diagnosis.findings if f.role == "cause"]
    return [(name, NEEDS_A_PERSON[name]) for name in dict.fromkeys(causes) if name in NEEDS_A_PERSON]
