"""Plateaus: the stretch of a run in which the loss hardly falls, and the curvature met there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.course import smoothed
from unstuck.record import Probe


@dataclass(frozen=True)
class Plateau:
    """A stretch without progress.

    Attributes:
        first: Its first step.
        last: Its last step.
        share: Its length as a share of the run.
        level: Loss on it.
        left: Whether the loss fell well below it later.
        probes: Probes on it.
    """

    first: int
    last: int
    share: float
    level: float
    left: bool
    probes: list[Probe]


def find_plateau(case: Case) -> Plateau | None:
    """Return the first stretch in which the loss stays near the reference, at most 15 % below it.

    A plateau starts near the reference (a constant prediction, or the start), not at a floor reached by learning.

    Args:
        case: The case.

    Returns:
        The plateau, None where the loss falls all the time.
    """
    course = case.course
    if course is None or not np.isfinite(course.reference):
        return None
    losses = case.pulse.loss[case.pulse.loss_seen]
    steps = case.pulse.step[case.pulse.loss_seen]
    finite = np.isfinite(losses)
    curve = smoothed(losses[finite])
    if len(curve) < 8:
        return None
    scale = abs(course.reference)
    high = curve > course.reference - 0.15 * scale
    if not bool(high.any()):
        return None
    begin = int(np.argmax(high & (curve < course.reference + 0.15 * scale)))
    end = begin
    while end + 1 < len(curve) and high[end + 1]:
        end += 1
    share = (end - begin + 1) / len(curve)
    first, last = (
        int(steps[finite][min(int(i * finite.sum() / len(curve)), finite.sum() - 1)]) for i in (begin, end + 1)
    )
    left = bool(end < len(curve) - 1 and curve[-1] < course.reference - 0.3 * scale)
    on = [p for p in case.probes if first <= p.step <= last]
    return Plateau(first, last, share, float(np.median(curve[begin : end + 1])), left, on)


def negative_curvature(case: Case, probes: list[Probe]) -> tuple[float, float, float]:
    """Return the most negative curvature without and with decay, and the largest: medians over the probes.

    With batches that change from step to step, one batch's Hessian has negative eigenvalues that are noise; they are
    only believed as far as ``held_out``, the curvature of the next batch along the same direction, confirms them.

    Args:
        case: The case.
        probes: Which probes.

    Returns:
        ``(raw_smallest, smallest, largest)``, NaN where not measured.
    """
    found = [p.m["curvature"] for p in probes if "curvature" in p.m]
    raw = median(c["raw_smallest"] for c in found if c.get("raw_smallest") is not None)
    small = median(c["smallest"] for c in found)
    large = median(c["largest"] for c in found)
    if not case.full_batch:
        held = median(case.values("held_out", "curvature", probes))
        raw = max(raw, held) if np.isfinite(held) else float("nan")
        small = raw
    return raw, small, large
