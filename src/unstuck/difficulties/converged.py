"""``converged``: the loss has stopped falling because there is little left to gain: a note, no fault."""

from __future__ import annotations

from unstuck.difficulties.case import Case
from unstuck.difficulties.course import Course
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Finding


def find(case: Case) -> Finding | None:
    """Return a note where the run learned and the loss no longer falls."""
    course = case.course
    if course is None or case.adversarial or not course.learned or course.ends_bad:
        return None
    if course.still_falling and course.falling > 0.01:
        return None
    return Finding(
        difficulty="converged",
        role="note",
        confidence=0.8,
        sentence=(
            f"The loss settled at {figure(course.end, 3)}{_down(course)}; the last third of the run hardly lowered it."
        ),
        where=case.at_optimizer,
        evidence={
            "loss at the end": course.end,
            "share of the way": course.gain,
            "last third, share of the way": course.falling,
        },
        remedies=("stop here, or lower the learning rate for a last gain",),
        step=int(course.steps * 2 / 3),
    )


def _down(course: Course) -> str:
    """Say how far the loss came; a share makes sense only for a loss whose lowest value is 0."""
    if course.lowest < 0 or not course.reference > 0:
        return f", down from {figure(course.reference, 3)}"
    return f", {percent(course.gain)} below the {figure(course.reference, 3)} that it came from"
