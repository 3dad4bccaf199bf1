"""``inputs``: what the network reads is finite and of a size that it can work with.

Inputs that are not standardised are common and often harmless, so only the extreme fails: the largest stable learning
rate shrinks with the square of the inputs' size (LeCun et al. 1998, "Efficient BackProp"). Whether less than that does
harm only the course of a run shows (``unscaled-inputs``); a normalisation at the first layer makes it harmless.
"""

from __future__ import annotations

import math

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Finding

QUESTION = Question("inputs", "input statistics")
#: Root mean square of inputs, and ratio of features' sizes, that no first layer is meant for.
_LARGE, _UNEVEN = 100.0, 1e4


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    taken = measured(case, "inputs")
    first = case.layers[0] if case.layers else None
    where = case.at_layer(first.name if first else None)
    bad = [n for n in measured(case, "not_finite") if n.get("where") == "input"]
    if bad:
        return QUESTION.failed("The input data hold NaN or infinite values: check them before training.", where)
    if not taken:
        return QUESTION.unmeasured(why_not(case, "inputs"))
    rms, mean, std = (median(case.values("inputs", key)) for key in ("rms", "mean", "std"))
    largest, typical = (median(case.values("inputs", key)) for key in ("feature_rms_max", "feature_rms_median"))
    evidence = {"root mean square": rms, "mean": mean, "std": std, "largest feature": largest}
    normalised = any(layer.kind == "norm" for layer in case.layers[:2])
    uneven = largest / typical if typical > 0 else 1.0
    if all(not v > 0 for v in case.values("inputs", "std")):
        return QUESTION.failed("All inputs of a batch are equal: there is nothing to learn from.", where, **evidence)
    if not normalised and (rms > _LARGE or (uneven > _UNEVEN and largest > _LARGE)) and math.isfinite(rms):
        return QUESTION.failed(
            f"The network reads inputs of root mean square {figure(rms, 3)} (the largest feature: "
            f"{figure(largest, 3)}); a first layer wants about 1. Write x = (x - mean) / std "
            f"with the training set's statistics per feature, or divide pixels by 255.",
            where,
            **evidence,
        )
    return QUESTION.passed(f"Inputs have mean {figure(mean)} and standard deviation {figure(std)}.", **evidence)
