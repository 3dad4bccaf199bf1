"""``step-too-large``: the step overshoots, because the sharpness lies above the optimizer's own stability limit.

Decision. On the quadratic model gradient descent with step ``lr`` diverges along every eigenvector whose curvature exceeds
``2 / lr`` (momentum, Nesterov, Adam: their own limits). A run that trains well hovers at that limit ("edge of stability",
Cohen et al. 2021), so the ratio alone is no fault: it is one where an early probe is above the limit, or where the loss on
the very batch that a step was computed from rises, **and** the loss of the run was thrown up or never left the level of a
constant prediction.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, share
from unstuck.difficulties.finding import Cost, Finding

#: Ratio of sharpness to limit from which an early step counts as unstable; healthy runs reach 1.5 at first too, but recover.
_UNSTABLE = 1.0
#: Share of probed steps that raised the loss of their own batch by more than a tenth.
_RAISED = 0.35


def find(case: Case) -> Finding | None:
    """Return the finding, None where steps are not too large for this run."""
    course = case.course
    if course is None or (case.adversarial and not course.ends_bad):
        return None
    if course.learned and not course.ends_bad and not _bounces(case):
        return None
    early = [r for r in case.values("sharpness", "ratio", case.probes[:5]) if np.isfinite(r)]
    ratio = max(early, default=float("nan"))
    raised = [_raises(p.m["along_update"]) for p in case.probes if "along_update" in p.m]
    overshoot = share(raised[:8])
    level = max(v for v in (course.reference, course.start, 1e-12) if np.isfinite(v))
    thrown = course.ends_bad or (np.isfinite(course.highest) and course.highest > 1.5 * level)
    unstable = ratio > _UNSTABLE or overshoot >= _RAISED or _leaps(case) or course.highest > 2 * level
    if not unstable or not (thrown or course.learned):
        return None
    at = next((p for p in case.probes if p.m.get("sharpness", {}).get("ratio", 0) > 1), case.probes[0])
    limit = at.m.get("sharpness", {})
    times = f"{ratio:.3g} times its stability limit" if ratio > 1 else "beyond what the loss allows"
    where = "rose to " + _number(course.highest) if not course.ends_bad else "became infinite or NaN"
    better = case.lr / max(2 * ratio, 10.0) if np.isfinite(ratio) else case.lr / 10
    confidence = 0.95 if ratio > _UNSTABLE and thrown else 0.8
    return Finding(
        difficulty="step-too-large",
        role="cause",
        confidence=confidence,
        sentence=(
            f"The learning rate {case.lr:g} is too large: the curvature met in the first steps is {times}, "
            f"so that steps overshoot; the loss {where}."
        ),
        where=case.at_optimizer,
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence={
            "sharpness / limit, highest early": ratio,
            "rule of the limit": limit.get("rule"),
            "share of probed steps that raised their own batch's loss": overshoot,
            "highest loss": course.highest,
            "loss at the end": course.end,
        },
        remedies=(
            f"lower the learning rate from {case.lr:g} to about {_round(better)}",
            "warm the learning rate up",
            "clip the gradient's norm",
        ),
        step=at.step,
    )


def _bounces(case: Case) -> bool:
    """Whether a run that learned something is held above its goal by steps that still overshoot at its end."""
    course = case.course
    late = [p for p in case.late if "sharpness" in p.m and "along_update" in p.m]
    if course is None or course.gain > 0.85 or course.still_falling or len(late) < 2:
        return False
    above = [p.m["sharpness"]["ratio"] > 1 for p in late if p.m["sharpness"]["ratio"] is not None]
    return share(above) > 0.5 and share(_raises(p.m["along_update"]) for p in late) >= _RAISED


def _raises(along: dict[str, float]) -> bool:
    """Whether the step raised the loss of its own batch by more than a tenth."""
    before, after = along["loss_before"], along["loss_after"]
    return not np.isfinite(after) or (np.isfinite(before) and after - before > 0.1 * abs(before))


def _leaps(case: Case) -> bool:
    """Whether an early step moved the weights by more than half their own length."""
    ratios = case.values("norms", "update_ratio", case.early)
    return any(r > 0.5 for r in ratios if np.isfinite(r))


def _number(value: float) -> str:
    return f"{value:.3g}"


def _round(value: float) -> str:
    return f"{value:.1g}"
