"""``exploding-gradient``: the backward signal grows on its way to the first layers, or through time.

Decision. By depth: the first layer's gradient is more than a hundred times the last's, by the mean gradient and by the signal of
single examples. Through time (a recurrent layer is one layer on the tape): the gradient is so large
that the first steps' sharpness exceeds the stability limit a hundredfold, at a layer that is applied again and again.
A fault where the run diverged or did not learn.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.depth import profiles
from unstuck.difficulties.finding import Cost, Finding
from unstuck.record import LayerInfo

_GROWN = 100.0
_THROUGH_TIME = 100.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where the signal does not explode or the run learns."""
    course = case.course
    if course is None or (course.learned and not course.ends_bad) or case.adversarial:
        return None
    return _by_depth(case) or _through_time(case)


def _by_depth(case: Case) -> Finding | None:
    seen = [(probe, p) for probe, p in profiles(case)[:1] if len(p.names) >= 3]
    if not seen:
        return None
    probe, worst = max(seen, key=lambda pair: np.nan_to_num(pair[1].end_to_end, nan=0.0))
    if not (worst.end_to_end > _GROWN and np.nanmedian(worst.factors) > 1.05):
        return None
    factor = float(np.exp(np.nanmean(np.log(np.maximum(worst.factors, 1e-30)))))
    layer = worst.names[0]
    return _finding(
        case,
        layer,
        probe.step,
        f"The gradient explodes on its way back: the first layer gets {worst.end_to_end:.2g} times the signal of the last "
        f"of {len(worst.names)} layers, each of which multiplies it by about {factor:.2g}",
        {"first layer's speed / last layer's": worst.end_to_end, "factor per layer": factor},
    )


def _through_time(case: Case) -> Finding | None:
    recurrent = [layer for layer in case.layers if layer.kind == "recurrent"] or _repeated(case)
    if not recurrent:
        return None
    for probe in case.probes[:3]:
        ratio = probe.m.get("sharpness", {}).get("ratio")
        if ratio is not None and ratio > _THROUGH_TIME:
            return _finding(
                case,
                recurrent[0].name,
                probe.step,
                f"The gradient explodes through time: at the recurrent layer the sharpness is {ratio:.2g} times the "
                f"stability limit in the first steps, because the same weights are applied at every time step",
                {"sharpness / limit": ratio, "gradient norm": probe.m.get("norms", {}).get("gradient")},
            )
    return None


def _repeated(case: Case) -> list[LayerInfo]:
    """Return layers that the step calls several times (a recurrence written by hand)."""
    return [layer for layer in case.layers if layer.calls > 2]


def _finding(case: Case, layer: str, step: int, sentence: str, evidence: dict[str, object]) -> Finding:
    course = case.course
    assert course is not None
    return Finding(
        difficulty="exploding-gradient",
        role="cause",
        confidence=0.85,
        sentence=sentence
        + f"; the loss {'became infinite or NaN' if course.ends_bad else f'ended at {course.end:.3g}'}.",
        where=case.at_layer(layer),
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence=evidence,
        remedies=(
            "scale the initial weights down (He or Glorot; orthogonal with gain 1 for recurrent weights)",
            "clip the gradient's norm: torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
            "add a normalisation layer, or scale residual branches down",
        ),
        step=step,
    )
