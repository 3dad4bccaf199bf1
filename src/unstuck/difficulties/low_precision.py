"""``low-precision``: numbers are too coarse for the gradients or for the steps.

Decision. Exact counts at the probes. Lost steps: in the second half of the run at least half of the weights that have a
gradient are left as they were by the step, because it is shorter than the spacing of the numbers around them; in
float32 only where a weight is huge from the start. Underflow: in float16, more than 90 % of a typical tensor's gradient
is exactly 0, or no weight has a gradient at all. Skipped steps: the ``GradScaler`` skipped more than half of the steps.
Accused where the run stayed below 80 % of the way; lost steps get a note in one that went further.
"""

from __future__ import annotations

from dataclasses import replace

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import percent
from unstuck.difficulties.finding import Cost, Finding

_LOST, _UNDERFLOW, _SKIPPED = 0.5, 0.9, 0.5
#: A weight beyond this lies 0.001 and more from its neighbours in float32.
_HUGE = 1e4
_WELL = 0.8


def find(case: Case) -> Finding | None:
    """Return the finding, None where the precision is enough."""
    course = case.course
    if course is not None and not course.ends_bad and course.gain > _WELL:
        lost = _lost(case)
        return None if lost is None else replace(lost, role="note", cost=None)
    return _skipped(case) or _lost(case) or _underflow(case)


def _skipped(case: Case) -> Finding | None:
    skipped = int((case.run.end or {}).get("skipped_steps") or 0)
    taken = case.run.steps
    if skipped < 3 or skipped <= _SKIPPED * (skipped + taken):
        return None
    return _finding(
        case,
        f"The GradScaler skipped {skipped} of {skipped + taken} steps, because gradients overflowed: its scale is too "
        f"high. Write GradScaler() with its default scale, and see that the loss itself is finite.",
        "leave init_scale and growth_interval at their defaults, or use bfloat16, which needs no scaler",
        {"steps skipped": skipped, "steps taken": taken},
    )


def _lost(case: Case) -> Finding | None:
    lost = median(case.values("precision", "lost_updates", case.late))
    kinds = _types(case)
    if not lost >= _LOST or case.lr == 0:
        return None
    low = any(p.m["precision"].get("low") for p in case.probes if "precision" in p.m)
    if not low and not max(case.values("precision", "largest")[:1], default=0.0) > _HUGE:
        return None  # steps that are lost in float32 are too small, unless a weight is huge, and was so from the start
    return _finding(
        case,
        f"{percent(lost)} of the weights that have a gradient stay as they are at a step: it is smaller than the "
        f"distance to the next number in {kinds}. Keep the weights in float32 (torch.autocast for the forward pass), "
        f"or raise the learning rate.",
        "keep weights in float32 and use torch.autocast, which casts them only for the computation",
        {"weights that a step leaves unchanged": lost, "types": kinds},
    )


def _underflow(case: Case) -> Finding | None:
    zeros = median(case.values("precision", "zero_gradients"))
    if _types(case) != "float16" or not zeros > _UNDERFLOW:
        return None  # bfloat16 has the range of float32
    return _finding(
        case,
        f"{percent(zeros)} of the gradients are exactly 0 in {_types(case)}: they lie below its smallest number. Scale "
        f"the loss with torch.amp.GradScaler, or use bfloat16, which has the range of float32.",
        "use torch.amp.GradScaler, or bfloat16 in the place of float16",
        {"gradients that are 0": zeros, "types": _types(case)},
    )


def _types(case: Case) -> str:
    for probe in reversed(case.probes):
        if "precision" in probe.m:
            kinds = [*probe.m["precision"].get("dtypes", {}), probe.m["precision"].get("autocast")]
            low = [kind for kind in kinds if kind in ("float16", "bfloat16")]
            return str((low or kinds)[0])
    return "its type"


def _finding(case: Case, sentence: str, remedy: str, evidence: dict[str, object]) -> Finding:
    return Finding(
        difficulty="low-precision",
        role="cause",
        confidence=0.9,
        sentence=sentence,
        where=case.at_optimizer,
        cost=Cost(float("inf"), 2.0, float("inf")) if not case.learned else None,
        evidence=evidence,
        remedies=(remedy,),
        step=case.probes[0].step if case.probes else 0,
    )
