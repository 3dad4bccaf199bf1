"""``weight-decay-too-strong``: decay pulls the weights in as fast as the loss pushes them out.

Decision, in a run that has not learned. (1) Equilibrium: decay and the loss's gradient cancel (their norms are alike,
they point against each other) while the loss is still high, or decay is what most of the update consists of. (2) The
race at a saddle: the curvature of the loss goes down, ``lambda_min < 0``, but decay adds itself to every direction, and
the objective with decay curves down no more, or so little that the run cannot leave.

A small loss at equilibrium is how decay is meant to end, and no fault.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.plateau import find_plateau, negative_curvature

_BALANCED = 0.4
#: Weights that have lost so much of their length tell of decay themselves: the noise of batches may hide the balance.
_SHRUNK = 0.4


def find(case: Case) -> Finding | None:
    """Return the finding, None without decay, or where the run learns."""
    course = case.course
    decay = max((float(g.get("weight_decay") or 0.0) for g in case.optimizer.groups), default=0.0)
    if course is None or not decay > 0 or case.adversarial or course.ends_bad or course.gain > 0.6:
        return None
    return _race(case, decay) or _equilibrium(case, decay)


def _equilibrium(case: Case, decay: float) -> Finding | None:
    course = case.course
    assert course is not None
    late = [p.m["decay"] for p in case.late if "decay" in p.m and p.step > 0.15 * course.steps]
    if not late:
        return None
    names = [name for name in late[-1] if isinstance(late[-1][name], dict)]
    shares = {name: median(m[name].get("share") for m in late if name in m) for name in names}
    balance = median(shares.values())
    begin, end = (median(case.values("norms", "weight", probes)) for probes in (case.probes[:1], case.late))
    shrunk = end / begin if begin > 0 else 1.0
    pace = case.lr * decay * course.steps
    strongest = max((v for v in shares.values() if np.isfinite(v)), default=0.0)
    in_balance = balance > _BALANCED and (shrunk < 0.7 or (pace > 1 and shrunk < 1.1))
    if not in_balance and not (strongest > _BALANCED and shrunk < _SHRUNK):
        return None
    layer = max((name for name in shares if np.isfinite(shares[name])), key=lambda name: shares[name])
    short = f", and the weights shrank to {percent(shrunk)} of their length" if shrunk < 1 else ""
    return _finding(
        case,
        decay,
        f"Weight decay {decay:g} is too strong: its pull on the weights is {figure(balance)} times the loss's own "
        f"gradient (at layer {layer}: {figure(shares[layer])} times){short}, "
        f"while the loss stays at {figure(course.end, 3)}",
        {"|decay * w| / |gradient|, by layer": shares, "weights' length, end / start": shrunk},
        0.85,
    )


def _race(case: Case, decay: float) -> Finding | None:
    plateau = find_plateau(case)
    if plateau is None or plateau.left or plateau.share < 0.3 or not case.full_batch:
        return None
    raw, small, large = negative_curvature(case, plateau.probes)
    if not (raw < 0 and large > 0 and -raw < 20 * decay and -raw > 1e-4 * large):
        return None
    held = small > 0.5 * raw
    rate = decay / -raw
    if not held and rate < 0.1:
        return None
    return _finding(
        case,
        decay,
        f"Weight decay {decay:g} holds the network down: the way out of this plateau has a curvature of {figure(raw)}, "
        f"of which decay takes {percent(min(rate, 1.0))} away, and it shrinks the weights at every step",
        {
            "most negative curvature without decay": raw,
            "most negative curvature with decay": small,
            "decay / |negative curvature|": rate,
        },
        0.8,
        ("vanishing-gradient", "flat-region", "step-too-small"),
    )


def _finding(
    case: Case, decay: float, sentence: str, evidence: dict[str, Any], confidence: float, explains: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        difficulty="weight-decay-too-strong",
        role="cause",
        confidence=confidence,
        sentence=sentence + ".",
        where=case.at_optimizer,
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence=evidence,
        remedies=(
            f"set weight_decay=0 until the network learns, then try {decay / 50:.1g}",
            "leave biases and normalisation weights out of the decay",
        ),
        explains=explains,
        step=case.late[0].step if case.late else None,
    )
