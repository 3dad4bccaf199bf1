"""``targets-misaligned``: the targets do not belong to the inputs that they come with.

Decision. From the distance correlation of inputs and targets in the batches, in standard deviations under shuffled
targets, added up over the probes (``sum / sqrt(n)``, standard normal under independence). Moved: no dependence (below
3), but a strong one (above 6, and 4 more) with the targets moved by one place. Apart: no dependence at all (below 2.5)
in at least 120 examples, and the run is no better than a constant prediction, and was not thrown there; then targets
were shuffled apart from inputs, or nothing links them. Constant: every target seen is the same class, at the only place
where outputs meet targets. Copied: for sequences of indices, targets equal the inputs place by place, and no output
depends on later places than its own; where outputs depend on the whole sequence, it is an autoencoder.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import BINARY, LIKELIHOODS, places
from unstuck.difficulties.step_too_large import early_ratios, outgrows

_NONE, _APART, _SURE, _MORE = 3.0, 2.5, 6.0, 4.0
_EXAMPLES = 120
_PROBES = 3
#: A run has had time to learn something from then on.
_STEPS = 30


def find(case: Case) -> Finding | None:
    """Return the finding, None where targets fit their inputs, or where that cannot be told."""
    return _constant(case) or _copied(case) or _independent(case)


def _independent(case: Case) -> Finding | None:
    measured = [p.m["targets"] for p in case.probes if "targets" in p.m]
    if len(measured) < _PROBES or case.learned or case.adversarial:
        return None
    count = sum(m["examples"] for m in measured)
    repeated = 1 if case.full_batch else len(measured)
    score, moved = (
        float(np.nansum([m[key] for m in measured]) / len(measured) * np.sqrt(repeated)) for key in ("score", "moved")
    )
    place = next(iter(places(case)), None)
    where = place.where if place is not None else case.at_step
    evidence = {"dependence, standard deviations": score, "with targets moved by one": moved, "examples": count}
    course = case.course
    stuck = course is not None and course.steps >= _STEPS and not course.ends_bad and course.gain < 0.1
    if stuck and score < _NONE and moved > _SURE and moved > score + _MORE:
        return Finding(
            difficulty="targets-misaligned",
            role="cause",
            confidence=0.95,
            sentence=(
                f"The targets belong to the neighbours of their inputs: moved by one place they fit (dependence "
                f"{figure(moved, 2)} standard deviations, as they are {figure(score, 2)}). Index inputs and targets "
                f"with the same numbers."
            ),
            where=where,
            cost=Cost(float("inf"), 2.0, float("inf")),
            evidence=evidence,
            remedies=(
                "take inputs and targets with one index, as in X[i], y[i]; look for roll, shift, [1:] and [:-1]",
            ),
            step=case.probes[0].step,
        )
    if not stuck or score >= _APART or (count if not case.full_batch else measured[0]["examples"]) < _EXAMPLES // 2:
        return None
    assert course is not None
    unstable = outgrows(case) or any(ratio > 1 for ratio in early_ratios(case))
    if unstable and course.peak > 1.3 * max(course.reference, course.start) + 4 * course.noise:
        return None  # its steps have thrown it up: that it is stuck says nothing of the targets
    if count < _EXAMPLES:
        return None
    return Finding(
        difficulty="targets-misaligned",
        role="cause",
        confidence=0.8,
        sentence=(
            f"The targets do not depend on the inputs: no more than chance in {count} examples of {len(measured)} "
            f"batches (dependence {figure(score, 2)} standard deviations). Either both were shuffled or split apart "
            f"from each other, or nothing links them. Print a few inputs beside their targets, and index both with the "
            f"same numbers."
        ),
        where=where,
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence=evidence,
        remedies=(
            "shuffle once: i = torch.randperm(len(X)); X, y = X[i], y[i]",
            "split inputs and targets in one call: train_test_split(X, y), TensorDataset(X, y)",
        ),
        step=case.probes[0].step,
    )


def _constant(case: Case) -> Finding | None:
    listed = places(case)
    # Several places may each have one label on purpose: domains, real and generated, residuals that shall be 0.
    for place in listed if len(listed) == 1 else ():
        lows = {head["target"]["min"] for head in place.heads}
        highs = {head["target"]["max"] for head in place.heads}
        sizes = [int(np.prod(head["target"]["shape"])) for head in place.heads]
        if place.kind not in (*LIKELIHOODS, *BINARY) or case.adversarial:
            continue
        if len(lows) == 1 and lows == highs and len(place.heads) >= _PROBES and sum(sizes) >= _EXAMPLES // 4:
            value = next(iter(lows))
            if value is None:
                continue
            return Finding(
                difficulty="targets-misaligned",
                role="cause",
                confidence=0.9,
                sentence=(
                    f"Every target that was seen is {figure(value)} ({sum(sizes)} of them): there is nothing to learn. "
                    f"Look for a scaling or a cast that makes all labels the same, such as (y / 255).long()."
                ),
                where=place.where,
                cost=Cost(float("inf"), 2.0, float("inf")),
                evidence={"target": value, "targets seen": sum(sizes)},
                remedies=("print y.unique() right before the loss, and undo the scaling of the labels",),
                step=0,
            )
    return None


def _copied(case: Case) -> Finding | None:
    seen = [p.m["targets"] for p in case.probes if "targets" in p.m]
    if sum(m.get("same") == 1 for m in seen) < _PROBES or any(m.get("same") not in (1, None) for m in seen):
        return None
    if not any(m.get("ahead") is False for m in seen) or any(m.get("ahead") for m in seen):
        return None  # an autoencoder: its outputs come from the whole sequence
    place = next(iter(places(case)), None)
    return Finding(
        difficulty="targets-misaligned",
        role="cause",
        confidence=0.8,
        sentence=(
            "The targets equal the inputs place by place: the network learns to copy. To predict the next element, "
            "write inputs = x[:, :-1] and targets = x[:, 1:]."
        ),
        where=place.where if place is not None else case.at_step,
        cost=None,
        evidence={"share of equal places": 1.0, "outputs depend on later places": False},
        remedies=("shift the targets by one: inputs x[:, :-1], targets x[:, 1:]",),
        step=0,
    )
