"""``converged``: the loss has stopped falling because there is little left to gain: a note, no fault."""

from __future__ import annotations

from unstuck.difficulties.case import Case
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
            f"The loss settled at {course.end:.4g} ({100 * course.gain:.0f} % of the way from {course.reference:.4g}); "
            f"the last third of the run changed it by {100 * course.falling:.1f} % of the way."
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
