"""``wrong-loss``: the loss does not fit the targets, or what it is made of hides the task.

Decision, from outputs and targets as the loss got them. Exact: ``nll_loss`` or ``kl_div`` of numbers that are no
log-probabilities (their exponentials do not sum to 1), so that the loss falls for ever; binary cross-entropy with
targets outside of 0 to 1; ``cross_entropy`` over a single class, which is 0 whatever goes in, or with examples that
have two to ten labels each. Inferred, and only where
the run did not learn: a squared error of one output against class numbers (0 to K - 1, K at least 3, about equally
frequent; where the program cast them from integers, also in a run that stayed below 90 % of the way); a task that
makes up less than 5 % of the loss while it is no better than a constant prediction, or one whose other term was large
at first and vanished instead of it; a loss multiplied by less than 1e-4, for optimizers whose step grows with the
gradient.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure, number, percent
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import BINARY, CLASSIFIERS, DISTANCES, Place, places, shape

_FEWEST_CLASSES = 3
#: More labels than that are counts, as of words or purchases, for which one softmax is a model.
_FEW_LABELS = 10
#: A squared error that got so far does measure something.
_WELL = 0.9
#: Entropy of the classes as a share of its largest value: class numbers are about equally frequent, counts are not.
_EVEN = 0.85
#: Share of the loss below which the task is hidden.
_HIDDEN = 0.05
#: Share of the task in the first losses below which the other term can have won.
_LARGE_AT_FIRST = 0.6
#: A factor on the loss below which an optimizer without its own scale does not move.
_TINY = 1e-4


def find(case: Case) -> Finding | None:
    """Return the finding, None where the losses fit."""
    listed = places(case)
    for place in listed:
        for look in (_not_log_probabilities, _outside_unit, _one_class, _several_labels, _distance_of_classes):
            finding = look(case, place)
            if finding is not None:
                return finding
    return _scaled_down(case, listed[0]) or _hidden(case, listed) if len(listed) == 1 else None


def _not_log_probabilities(case: Case, place: Place) -> Finding | None:
    total = place.median("normalised")
    if place.kind not in ("nll_loss", "kl_div") or not np.isfinite(total) or abs(total - 1) < 0.05:
        return None
    if place.last["activations"] and place.last["activations"][0]["name"] == "log_softmax":
        return None  # over another dimension: another mistake
    if place.last.get("sums_to_one"):
        return None
    return _finding(
        case,
        place,
        f"{place.kind} is given numbers that are no log-probabilities (their exponentials sum to {figure(total, 3)}, "
        f"not to 1). Write {'F.cross_entropy' if place.kind == 'nll_loss' else 'F.kl_div(F.log_softmax(x, -1), p)'}, "
        f"or put log_softmax before it.",
        "put log_softmax(outputs, dim=1) before it, or call cross_entropy on the raw outputs",
        {"sum of exp(outputs)": total},
        0.97,
    )


def _outside_unit(case: Case, place: Place) -> Finding | None:
    low, high = place.median("target", "min"), place.median("target", "max")
    if place.kind not in BINARY or not (low < -1e-6 or high > 1 + 1e-6):
        return None
    return _finding(
        case,
        place,
        f"{place.kind} wants targets between 0 and 1, and gets targets from {figure(low, 3)} to {figure(high, 3)}: the "
        f"loss has no lowest value. Map the targets to 0 and 1, as in "
        f"{'(y + 1) / 2' if low < 0 else f'(y - {figure(low)})'}.",
        "map the labels to 0 and 1 before the loss",
        {"smallest target": low, "largest target": high},
        0.97,
    )


def _one_class(case: Case, place: Place) -> Finding | None:
    outputs = shape(place.last["prediction"])
    if place.kind not in CLASSIFIERS or len(outputs) < 2 or outputs[1] != 1:
        return None
    return _finding(
        case,
        place,
        f"{place.kind} is given one class only (outputs of shape {list(outputs)}): the softmax of one number is 1, the "
        f"loss is 0 whatever the network says. Write binary_cross_entropy_with_logits, or give the last layer one unit "
        f"per class.",
        "use binary_cross_entropy_with_logits(out.squeeze(1), y.float()), or two output units",
        {"outputs": list(outputs)},
        0.98,
    )


def _several_labels(case: Case, place: Place) -> Finding | None:
    outputs = shape(place.last["prediction"])
    most = max((number(head["target"].get("labels")) for head in place.heads), default=np.nan)
    if place.kind != "cross_entropy" or place.target != "multi-label" or not 2 <= most <= _FEW_LABELS:
        return None
    return _finding(
        case,
        place,
        f"cross_entropy is given examples with up to {figure(most)} labels of {outputs[1]}: its softmax lets the "
        f"classes compete, so that two of them cannot both be certain. Write "
        f"F.binary_cross_entropy_with_logits(outputs, targets), which asks each label for itself.",
        "use binary_cross_entropy_with_logits: each label is a yes or no of its own",
        {"most labels of one example": most, "labels": outputs[1]},
        0.85,
    )


def _distance_of_classes(case: Case, place: Place) -> Finding | None:
    counts = place.classes
    outputs = shape(place.last["prediction"])
    single = len(outputs) == 1 or outputs[1:] in ((1,), ())
    if place.kind not in DISTANCES or place.target != "classes" or counts is None or not single:
        return None
    whole = place.most(lambda head: head["target"].get("whole") is True)
    if case.learned and not (whole and case.course is not None and case.course.gain < _WELL):
        return None
    pooled = counts.sum(0)
    classes = len(pooled)
    shares = pooled / pooled.sum()
    even = -np.sum(shares[shares > 0] * np.log(shares[shares > 0])) / np.log(max(classes, 2))
    if classes < _FEWEST_CLASSES or (pooled == 0).any() or even < _EVEN:
        return None
    return _finding(
        case,
        place,
        f"A {_word(place.kind)} compares one output with class numbers 0 to {classes - 1}, as if class 2 lay between "
        f"1 and 3. Give the last layer {classes} units and write F.cross_entropy(out, y).",
        f"use cross_entropy with {classes} outputs; a squared error fits targets with an order",
        {"classes": classes},
        0.85,
    )


def _hidden(case: Case, listed: list[Place]) -> Finding | None:
    place = listed[0]
    pairs = [
        (p.m["baseline"].get("part"), p.m["baseline"]["constant"], p.m["loss"])
        for p in case.probes
        if "baseline" in p.m and "loss" in p.m and p.m["baseline"].get("loss_kind") != "other"
    ]
    known = [(part, constant, loss) for part, constant, loss in pairs if part is not None]
    late = known[len(known) // 2 :]
    if len(late) < 2:
        return None
    shares = [abs(part) / max(abs(loss), 1e-30) for part, _, loss in known]
    # Where the other term wins it shrinks to nothing, and the task with it: its share at first counts as well.
    share = min(median(shares[: max(2, len(shares) // 4)]), median(shares[len(shares) // 2 :]))
    untouched = median(part / max(constant, 1e-30) for part, constant, _ in late)
    if share < _HIDDEN and untouched > 0.9:
        return _finding(
            case,
            place,
            f"The task makes up {percent(share)} of the loss; the rest is another term, and the task itself is no "
            f"better than a constant prediction ({figure(untouched, 2)} of its loss). Multiply the other term by a "
            f"factor about {figure(1 / max(share, 1e-9))} times smaller.",
            "weigh the terms so that each has about the same gradient, and print them apart",
            {"share of the task in the loss": share, "task's loss / constant's": untouched},
            0.9,
        )
    if min(shares[:2]) < _LARGE_AT_FIRST and shares[-1] > 0.9 and untouched > 0.9 and not case.learned:
        return _finding(
            case,
            place,
            f"Another term made up {percent(1 - min(shares[:2]))} of the loss at first and was brought to nothing, "
            f"while the task is no better than a constant prediction ({figure(untouched, 2)} of its loss): the network "
            f"has learned the other term only. Multiply that term by a tenth or less, or let its weight grow from 0.",
            "weigh the terms so that each has about the same gradient, and print them apart",
            {"share of the other term at first": 1 - min(shares[:2]), "task's loss / constant's": untouched},
            0.75,
        )
    return None


def _scaled_down(case: Case, place: Place) -> Finding | None:
    factor = place.median("factor")
    if place.kind == "squared error":
        pairs = zip((p.m.get("loss") for p in case.probes if "task" in p.m), place.heads, strict=False)
        factor = median(abs(loss) / head["error"] for loss, head in pairs if loss and number(head.get("error")) > 0)
    scale_free = "adam" in case.optimizer.name.lower() or case.optimizer.name in ("RMSprop", "Adagrad", "Rprop")
    if not 0 < factor < (_TINY if not scale_free else 1e-6) or case.learned:
        return None
    return _finding(
        case,
        place,
        f"The loss is multiplied by {figure(factor)} before backward(), and with it every gradient. Delete the factor "
        f"(or use reduction='mean' where it stands for an average).",
        "delete the factor, or multiply the learning rate by its inverse",
        {"factor": factor},
        0.9,
    )


def _word(kind: str) -> str:
    return {"mse_loss": "squared error", "l1_loss": "absolute error"}.get(kind, kind.replace("_", " "))


def _finding(
    case: Case, place: Place, sentence: str, remedy: str, evidence: dict[str, object], confidence: float
) -> Finding:
    return Finding(
        difficulty="wrong-loss",
        role="cause",
        confidence=confidence,
        sentence=sentence,
        where=place.where,
        cost=Cost(float("inf"), 2.0, float("inf")) if not case.learned else None,
        evidence={"loss": place.kind, **evidence},
        remedies=(remedy,),
        step=0,
    )
