"""``still-improving``: the loss was still falling when the program ended: a note, no fault."""

from __future__ import annotations

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Finding


def find(case: Case) -> Finding | None:
    """Return a note where the last third of the run still lowered the loss, beyond its noise."""
    course = case.course
    if course is None or case.adversarial or course.ends_bad or not course.still_falling or course.falling <= 0.01:
        return None
    return Finding(
        difficulty="still-improving",
        role="note",
        confidence=0.8,
        sentence=(
            f"The loss was still falling when the run ended, at {figure(course.end, 3)}: the last third of the run "
            f"brought {percent(course.falling)} of the way down from {figure(course.reference, 3)}."
        ),
        where=case.at_optimizer,
        evidence={"last third, share of the way": course.falling, "loss at the end": course.end},
        remedies=("train longer",),
        step=int(course.steps * 2 / 3),
    )
