"""``step-too-large``: the step overshoots, because the sharpness lies above the optimizer's own stability limit.

Decision. On the quadratic model gradient descent with step ``lr`` diverges along every eigenvector whose curvature
exceeds ``2 / lr`` (momentum, Nesterov, Adam: their own limits). A run that trains well hovers at that limit ("edge of
stability", Cohen et al. 2021), so the ratio alone is no fault: it is one where an early probe is above the limit, or
where the loss on the very batch that a step was computed from rises, **and** the loss of the run was thrown up or never
left the level of a constant prediction. Adam's first step is ``lr`` for every weight, whatever its size: where that is
a large part of what the weights of most layers are, they are no longer the ones that were drawn, and a smaller rise
counts.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, share
from unstuck.difficulties.course import Course
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding

#: Ratio of sharpness to limit from which an early step counts as unstable; sound runs reach 1.5 too, but recover.
_UNSTABLE = 1.0
#: Share of probed steps that raised the loss of their own batch by more than a tenth.
_RAISED = 0.35
#: How far above its level a loss is thrown that tells of itself, without a measurement.
_LEAP = 20.0
#: Share of its weights' length by which an early step moves a layer so far that little of its start is left.
_OUTGROWN = 0.3
_FIRST_STEPS = 20
#: A loss that is not finite after so few steps had no time to be seen growing.
_AT_ONCE = 10


def find(case: Case) -> Finding | None:
    """Return the finding, None where steps are not too large for this run."""
    course = case.course
    if course is None or (case.adversarial and not course.ends_bad):
        return None
    if course.learned and not course.ends_bad and not _bounces(case):
        return None
    ratio = max(early_ratios(case), default=float("nan"))
    overshoot = share([_raises(p.m["along_update"]) for p in case.probes if "along_update" in p.m][:8])
    level = max((v for v in (course.reference, course.start) if np.isfinite(v)), default=1e-12)
    if not case.probes and not course.highest > _LEAP * level:
        return None  # a curve alone says little: the start of a trained network lies below its noise
    outgrown = outgrows(case)
    rise = _above(course, level, 1.2, 4) if outgrown else _above(course, level, 1.5, 8)
    thrown = course.highest > rise
    at_once = course.ends_bad and course.first_bad is not None and course.first_bad <= _AT_ONCE
    # One odd batch has a high loss at any step size, unless nothing was measured that could tell.
    measured = np.isfinite(ratio) and any("along_update" in p.m for p in case.probes)
    height = course.peak if measured else course.highest
    unstable = ratio > _UNSTABLE or overshoot >= _RAISED or _leaps(case) or height > _above(course, level, 2, 8)
    unstable = unstable or outgrown or _units_died(case)
    if not unstable or not (thrown or at_once or (course.learned and not course.ends_bad)):
        return None
    at = next((p for p in case.probes if p.m.get("sharpness", {}).get("ratio", 0) > 1), None)
    limit = at.m["sharpness"] if at is not None else {}
    times = (
        f"the curvature met in the first steps is {figure(ratio)} times the stability limit, so that "
        if ratio > 1
        else f"an early step moves most layers' weights by more than {percent(_OUTGROWN)} of their length, so that "
        if outgrown
        else ""
    )
    where = f"rose to {figure(course.highest, 3)}" if not course.ends_bad else "became infinite or NaN"
    better = case.lr / max(2 * ratio, 10.0) if np.isfinite(ratio) else case.lr / 10
    confidence = 0.95 if ratio > _UNSTABLE and thrown else 0.8
    return Finding(
        difficulty="step-too-large",
        role="cause",
        confidence=confidence,
        sentence=(
            f"The learning rate {case.lr:g} is too large: {times}steps overshoot what they aim at; the loss {where}."
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
        step=at.step if at is not None else 0,
    )


def _above(course: Course, level: float, times: float, noises: float) -> float:
    """Return how high a loss must rise above its level to be thrown up; no ratio tells where it takes both signs."""
    if course.signed:
        return level + 4 * max(level - course.lowest, abs(level)) + noises * course.noise
    return times * level + noises * course.noise


def _units_died(case: Case) -> bool:
    """Whether a hidden layer lived at the first probe and was dead after."""
    for layer in case.layers[:-1]:
        dead = case.layer_values(layer.name, "dead")
        if len(dead) > 2 and dead[0] < 0.5 and share(d > 0.9 for d in dead[1:]) > 0.5:
            return True
    return False


def early_ratios(case: Case) -> list[float]:
    """Return sharpness over limit at the first probes.

    At the very first steps Adam's preconditioner is the gradient itself, and the smallest of its elements make the
    ratio huge on sound runs too; there it counts only where the step did raise its own batch's loss.
    """
    ratios = []
    for probe in case.probes[:5]:
        sharpness = probe.m.get("sharpness", {})
        ratio = sharpness.get("ratio")
        if ratio is None or not np.isfinite(ratio):
            continue
        young = sharpness.get("preconditioned") and probe.step < 10
        if not young or ("along_update" in probe.m and _raises(probe.m["along_update"])):
            ratios.append(float(ratio))
    return ratios


def _bounces(case: Case) -> bool:
    """Whether a run that learned something lost much to its steps: thrown far up, or still overshooting at its end."""
    course = case.course
    if course is not None and course.gain < 0.85:
        level = max((v for v in (course.reference, course.start) if np.isfinite(v)), default=float("inf"))
        if course.highest > 5 * level and any(r > _UNSTABLE for r in early_ratios(case)):
            return True
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


def outgrows(case: Case) -> bool:
    """Return whether one of the first steps moved most layers by a large part of their weights' length."""
    first = [probe for probe in case.early if probe.step < _FIRST_STEPS]
    return any(ratio > _OUTGROWN for ratio in case.values("norms", "typical_ratio", first))


def _round(value: float) -> str:
    return f"{value:.1g}"
