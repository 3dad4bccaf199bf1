"""``step-too-small``: the step is far below what the curvature allows, and the loss is far from where it could be.

Decision. Along the actual update ``d`` the loss of the step's own batch is ``f + t g'd + t^2 d'Hd / 2``; its lowest
point ``t = -g'd / d'Hd`` says how many times longer the step could have been for this batch (the quadratic is
optimistic far away, so losses at 2, 4, 8 ... times the step are measured too); where even that point is less than 5 %
lower, the step was long enough. The sharpness says how many times longer it could be before it becomes unstable. The
step is too small where both are large throughout, the run has not got far, and the weights have hardly moved: on data
with nothing left to learn single batches also ask for longer steps, but there the weights wander. Over the test suite's
programs the way of the weights, as a multiple of their norm, was below 0.02 where the step was too small, and above 0.1
on all but one of 46 healthy ones.

Cost. In the regime of small steps training follows the gradient flow, and time goes with ``1 / lr``: a run is as many
times slower as its step could be longer, up to half the stability limit.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding

#: How many times longer the step could be, at least, for a run that learned little / that learned something.
_STUCK, _SLOW = 12.0, 25.0
#: Way of the weights, as a multiple of their own norm, from which on they count as having moved.
_MOVED = 0.3
#: Share of the loss by which the best step along the update lowers that of its batch, at least. Along one direction
#: chance alone gives about one over the number of examples.
_WORTH = 0.05


def find(case: Case) -> Finding | None:
    """Return the finding, None where steps are long enough for this run."""
    course = case.course
    if course is None or course.ends_bad or case.adversarial or course.gain > 0.85 or not case.lr > 0:
        return None
    if not case.path < _MOVED:
        return None
    room = room_along_update(case)
    below = room_below_limit(case)
    factor = min(v for v in (room, below) if np.isfinite(v)) if np.isfinite([room, below]).any() else float("nan")
    enough = _STUCK if not course.learned else _SLOW
    if not factor >= enough:
        return None
    if course.learned and not course.still_falling:
        return None
    low, high = factor / 3, factor * 2
    return Finding(
        difficulty="step-too-small",
        role="cause",
        confidence=float(np.clip(0.6 + 0.1 * np.log10(factor / enough), 0.6, 0.97)),
        sentence=(
            f"The learning rate {case.lr:g} is too small: {_why(room, below)}; "
            f"the loss came only {percent(max(course.gain, 0.0))} of the way down from {figure(course.reference, 3)}."
        ),
        where=case.at_optimizer,
        cost=Cost(factor, low, high),
        evidence={
            "times longer, along the update": room,
            "times below the stability limit": below,
            "share of the way gone": course.gain,
            "way of the weights / their norm": case.path,
        },
        remedies=(
            f"raise the learning rate from {case.lr:g} to about {case.lr * _cautious(factor):.1g}",
            "use a learning-rate range test",
        ),
        step=case.probes[0].step,
    )


def room_along_update(case: Case) -> float:
    """Return how many times longer the step could be, by the lowest loss measured along it; the run's median."""
    found = []
    for probe in case.probes:
        along = probe.m.get("along_update")
        if along is None:
            continue
        losses = np.asarray(along["losses"], dtype=float)
        if not len(losses) or not np.isfinite(losses).any():
            continue
        best = float(along["scales"][int(np.nanargmin(np.where(np.isfinite(losses), losses, np.inf)))])
        gain = along["loss_before"] - np.nanmin(losses)
        # A lowest point within reach that is hardly lower: no longer step would help, the rest may be noise.
        within = best < along["scales"][-1]
        falls = gain > (_WORTH if within else 1e-7) * abs(along["loss_before"])
        warming = case.lr_at(probe.step) / case.lr if case.lr > 0 else 1.0
        found.append(best * (warming if np.isfinite(warming) else 1.0) if falls else 1.0)
    return median(found)


def room_below_limit(case: Case) -> float:
    """Return how many times longer the step could be before half the stability limit; the run's median."""
    ratios = []
    for probe in case.probes:
        ratio = probe.m.get("sharpness", {}).get("ratio")
        warming = case.lr_at(probe.step) / case.lr if case.lr > 0 else 1.0
        if ratio is not None and np.isfinite(ratio) and ratio > 0 and warming > 0:
            ratios.append(ratio / warming)
    return 0.5 / median(ratios) if ratios else float("nan")


def _cautious(factor: float) -> float:
    """Advise half of what is possible, and never more than a thousand times at once."""
    return float(min(max(factor / 2, 3.0), 1000.0))


def _why(room: float, below: float) -> str:
    """Say what was measured about longer steps, in words."""
    said = []
    if np.isfinite(room):
        said.append(
            f"steps about {figure(room)} times as long would have lowered the loss of their own batches the most"
        )
    if np.isfinite(below):
        said.append(f"steps {figure(below)} times as long would still be at only half the stability limit")
    return ", and ".join(said)
