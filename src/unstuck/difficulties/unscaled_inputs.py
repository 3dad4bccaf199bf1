"""``unscaled-inputs``: the network reads values far from mean 0 and standard deviation 1.

Decision. The curvature of the first layer's weights grows with the square of its inputs (LeCun et al. 1998, "Efficient
BackProp"): inputs of root mean square 100 allow a step 10,000 times smaller. Named where the inputs are large, far off
centre, or of very different scales from feature to feature, **and** the run suffers in the way that follows from it: it
was thrown up, its first steps were above the stability limit, its loss started far above a constant prediction's, or
its first layer was saturated. Networks that learn all the same (a normalisation follows, Adam) are not accused.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure, number
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import DISTANCES, places

#: Root mean square of targets beyond which a network that begins near 0 has a long way to go.
_FAR_TARGETS = 20.0
#: Mean squared error as a share of the targets' variance from which on nothing much was learned.
_POOR = 0.65
#: Outputs whose mean lies within so many standard deviations of the targets' have found their level, where their error
#: is no more than so many variances.
_THERE, _NO_WORSE = 0.3, 1.1
#: Root mean square of a recurrent layer's outputs, which lie between -1 and 1, from which on they are at their ends.
_ENDS = 0.85
_LARGE, _UNEVEN, _OFF = 8.0, 30.0, 10.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where inputs and targets are scaled or the run learns."""
    return _inputs(case) or _targets(case)


def _targets(case: Case) -> Finding | None:
    """Return the finding about targets that are far larger, or far further off 0, than what a network gives."""
    course = case.course
    if course is None or case.adversarial:
        return None
    for place in places(case):
        mean, std = place.median("target", "mean"), place.median("target", "std")
        if place.kind not in DISTANCES or not np.isfinite(mean) or place.last["activations"]:
            continue
        # Where the loss is no squared error, the start may lie far above what a constant prediction reaches.
        late = median(number(head.get("error")) for head in place.heads[len(place.heads) // 2 :])
        poor = late > _POOR * std**2 if np.isfinite(late) and std > 0 else course.gain <= 0.35
        if not poor and not course.ends_bad:
            continue
        means = [number(head["prediction"]["mean"]) for head in place.heads]
        away = abs(median(means[len(means) // 2 :]) - mean) / std if std > 0 else np.inf
        if not course.ends_bad and away < _THERE and late < _NO_WORSE * std**2 and not _spoiled(case):
            continue  # the outputs have found the targets' level: the rest may be noise
        rms = float(np.hypot(mean, std))
        off = abs(mean) / std if std > 0 else 0.0
        if rms < _FAR_TARGETS and not (off > _OFF and rms > 5):
            continue
        return Finding(
            difficulty="unscaled-inputs",
            role="cause",
            confidence=0.85,
            sentence=(
                f"The targets are unscaled: mean {figure(mean, 3)}, standard deviation {figure(std, 3)}, while a "
                f"network begins near 0 with steps of size 1. Train on (y - {figure(mean, 3)}) / {figure(std, 3)} and "
                f"turn its outputs back."
            ),
            where=place.where,
            cost=Cost(float(np.clip(rms, 2, 1e6)), 2.0, float("inf")),
            evidence={"targets' mean": mean, "targets' standard deviation": std},
            remedies=(
                "standardise the targets with the training set's mean and standard deviation",
                "start the output layer's bias at the targets' mean",
            ),
            step=0,
        )
    return None


def _spoiled(case: Case) -> bool:
    """Whether a hidden layer lived at the first probe and lay at its ends, or was dead, from then on."""
    for name in case.hidden:
        for share in ("saturated", "dead"):
            shares = case.layer_values(name, share)
            if len(shares) > 2 and shares[0] < 0.5 and median(shares[1:]) > 0.9:
                return True
    return False


def _inputs(case: Case) -> Finding | None:
    course = case.course
    if course is None or case.adversarial or (course.gain > 0.8 and not course.ends_bad):
        return None
    rms = median(case.values("inputs", "rms"))
    largest = median(case.values("inputs", "feature_rms_max"))
    typical = median(case.values("inputs", "feature_rms_median"))
    offset = median(case.values("inputs", "offset"))
    low, high = (median(case.values("inputs", key)) for key in ("feature_std_min", "feature_std_max"))
    uneven = largest / typical if typical > 0 else 1.0
    large = rms > _LARGE or largest > _LARGE * 2
    if not large and not (uneven > _UNEVEN and largest > 2) and not (offset > _OFF and rms > 2):
        return None
    if not _felt(case, uneven):
        return None
    features = int(np.nan_to_num(median(case.values("inputs", "features")), nan=1.0, posinf=1.0))
    spread = (
        f", and standard deviations from {figure(low)} to {figure(high)} over its {features} features"
        if features > 1 and high > 3 * low
        else ""
    )
    layer = case.layers[0].name if case.layers else None
    factor = max(rms, largest / 2) ** 2
    return Finding(
        difficulty="unscaled-inputs",
        role="cause",
        confidence=0.9 if rms > 20 else 0.75,
        sentence=(
            f"The network reads unscaled inputs, with a root mean square of {figure(rms, 3)}{spread}; a first layer "
            f"wants about 1, and the largest stable learning rate shrinks with the square of it."
        ),
        where=case.at_layer(layer),
        cost=Cost(float(np.clip(factor, 2, 1e6)), 2.0, float("inf")),
        evidence={
            "root mean square": rms,
            "largest feature": largest,
            "|mean| / std, largest": offset,
            "feature std": [low, high],
        },
        remedies=(
            "scale each input feature to mean 0 and standard deviation 1, with the training set's statistics",
            "divide pixel values by 255",
            "put a BatchNorm or LayerNorm before the first layer",
        ),
        step=case.probes[0].step if case.probes else None,
    )


def _felt(case: Case, uneven: float) -> bool:
    """Whether the run shows what unscaled inputs lead to."""
    course = case.course
    assert course is not None
    level = max((v for v in (course.reference, course.start) if np.isfinite(v)), default=1.0)
    thrown = course.highest > 1.5 * level or course.start > 3 * abs(course.reference)
    unstable = any(r > 1 for r in case.values("sharpness", "ratio", case.probes[:4]))
    if course.ends_bad or (thrown and unstable) or ((thrown or unstable) and not course.learned):
        return True
    if not case.layers:
        return False
    first = case.layers[0].name
    if course.learned and not course.ends_bad:
        return False
    saturated = median(case.layer_values(first, "saturated", case.early))
    dead = median(case.layer_values(first, "dead", case.late))
    std = median(case.layer_values(first, "pre_std", case.early))
    mean = abs(median(case.layer_values(first, "pre_mean", case.early)))
    if case.layers[0].kind == "recurrent":
        # Its gates cannot be looked into, but its outputs end at 1: near there, all of it is saturated.
        saturated = 1.0 if np.hypot(mean, std) > _ENDS else 0.0
    return saturated > 0.5 or dead > 0.9 or std > 10 or mean > 10 or (uneven > 100 and not course.learned)
