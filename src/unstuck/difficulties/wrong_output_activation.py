"""``wrong-output-activation``: what the last nonlinearity can give does not cover what the targets are.

Decision. Exact ranges against the targets seen. A softmax over the batch, or over a single unit (which gives 1
whatever goes in). A bounded nonlinearity straight before a distance, where at least 5 % of the targets lie outside its
range and the squared error that no output can remove is at least 5 % of the targets' variance. A bounded one before a
loss that wants logits: with logits in a range of width ``r`` the loss of one class among ``C`` stays above
``log(1 + (C - 1) exp(-r))``; named from a fifth of a constant prediction's loss on. A rectifier before logits leaves a
class no way to be denied; it is named where the run did not learn.
"""

from __future__ import annotations

import math
from typing import Any

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import BINARY, CLASSIFIERS, DISTANCES, Place, activation, at, places, shape

#: Width of what an activation gives; the others are not bounded on both sides.
_WIDTHS = {"sigmoid": 1.0, "hardsigmoid": 1.0, "tanh": 2.0, "hardtanh": 2.0, "softsign": 2.0, "sin": 2.0}
_RECTIFIERS = ("relu", "softplus")
_OUTSIDE, _UNREACHABLE = 0.05, 0.05
_FLOOR = 0.2


def find(case: Case) -> Finding | None:
    """Return the finding, None where the outputs can reach the targets."""
    for place in places(case):
        for look in (_over_other, _over_batch, _over_one, _out_of_reach, _bounded_logits, _rectified_logits):
            finding = look(case, place)
            if finding is not None:
                return finding
    return None


def _over_other(case: Case, place: Place) -> Finding | None:
    """Find probabilities that sum to 1, but not over the classes."""
    if not place.most(lambda head: bool(head.get("sums_to_one"))):
        return None
    head = next(h for h in reversed(place.heads) if h.get("sums_to_one"))
    wanted, found = head["sums_to_one"][0], head["sums_to_one"][1]
    link = head["activations"][0] if head["activations"] else {"name": "softmax", "file": None, "line": None}
    return _finding(
        case,
        place,
        link,
        f"The probabilities sum to 1 over dimension {found} of the outputs (shape {list(shape(head['prediction']))}), "
        f"but the classes are dimension {wanted}. Write dim={wanted} in the {link['name']}.",
        f"{link['name']}(..., dim={wanted})",
        {"dim": found, "classes": wanted, "outputs": list(shape(head["prediction"]))},
        0.95,
    )


def _over_batch(case: Case, place: Place) -> Finding | None:
    def holds(head: dict[str, Any]) -> bool:
        link = activation(head, "softmax", "log_softmax", direct=False)
        outputs, targets = shape(head["prediction"]), shape(head["target"])
        batch = len(outputs) > 1 and outputs[0] > 1 and bool(targets) and targets[0] == outputs[0]
        return link is not None and batch and link["dim"] in (0, -len(outputs))

    if not place.most(holds):
        return None
    link = next(h for h in reversed(place.heads) if holds(h))["activations"][0]
    return _finding(
        case,
        place,
        link,
        f"The {link['name']} is taken over the batch (dim={link['dim']}): the outputs of one example depend on the "
        f"others, and those of each class sum to 1 over the examples. Write dim=1 (the classes).",
        f"{link['name']}(..., dim=1)",
        {"dim": link["dim"], "outputs": list(shape(place.last["prediction"]))},
        0.96,
    )


def _over_one(case: Case, place: Place) -> Finding | None:
    if not place.most(lambda head: head["single"] is True):
        return None
    link = place.last["activations"][0]
    return _finding(
        case,
        place,
        link,
        f"A softmax over a single unit gives 1 for every input (outputs of shape "
        f"{list(shape(place.last['prediction']))}): nothing can be learned. Write sigmoid in its place, or give the "
        f"layer one unit per class.",
        "use a sigmoid for a single output unit (or raw outputs with binary_cross_entropy_with_logits)",
        {"outputs": list(shape(place.last["prediction"]))},
        0.97,
    )


def _out_of_reach(case: Case, place: Place) -> Finding | None:
    if place.kind not in DISTANCES or not place.last["activations"]:
        return None
    outside, unreachable = place.median("outside"), place.median("unreachable")
    poor = case.course is None or not case.course.gain > 0.9
    if not (outside >= _OUTSIDE and unreachable >= _UNREACHABLE and poor):
        return None
    link = place.last["activations"][0]
    target = place.last["target"]
    return _finding(
        case,
        place,
        link,
        f"The outputs pass through {link['name']}, but {percent(outside)} of the targets lie outside what it can give "
        f"(targets from {figure(target['min'], 3)} to {figure(target['max'], 3)}): at least "
        f"{percent(min(unreachable, 1.0))} of their variance cannot be reached. Delete the {link['name']} at the "
        f"output, or scale the targets into its range.",
        f"delete the {link['name']} after the last layer",
        {"targets outside": outside, "variance that cannot be reached": unreachable},
        0.95,
    )


def _bounded_logits(case: Case, place: Place) -> Finding | None:
    logits = place.kind == "cross_entropy" or place.kind == "binary_cross_entropy_with_logits"
    link = activation(place.last, *_WIDTHS) if logits else None
    if link is None or (link["name"] == "sigmoid" and place.kind in BINARY):
        return None  # the latter is a double sigmoid
    outputs = shape(place.last["prediction"])
    classes = outputs[1] if place.kind in CLASSIFIERS and len(outputs) > 1 else 2
    width = _WIDTHS[link["name"]]
    lowest = (
        math.log1p((classes - 1) * math.exp(-width)) if place.kind in CLASSIFIERS else math.log1p(math.exp(-width / 2))
    )
    if lowest < _FLOOR * math.log(classes):
        return None
    return _finding(
        case,
        place,
        link,
        f"The logits pass through {link['name']} before {place.kind}: within a range of {figure(width)} no class can "
        f"get more than a moderate probability, and the loss stays above {figure(lowest, 3)}. Delete the "
        f"{link['name']} and give the loss the raw outputs.",
        f"delete the {link['name']} before {place.kind}",
        {"classes": classes, "lowest possible loss": lowest},
        0.95,
    )


def _rectified_logits(case: Case, place: Place) -> Finding | None:
    binary = place.kind == "binary_cross_entropy_with_logits"
    link = activation(place.last, *_RECTIFIERS) if binary or place.kind == "cross_entropy" else None
    if link is None or not place.most(lambda head: activation(head, *_RECTIFIERS) is not None):
        return None
    if not binary and case.learned:
        return None
    why = (
        "no example can be given less than probability 1/2"
        if binary
        else "a unit that gives 0 for all is lost for good"
    )
    return _finding(
        case,
        place,
        link,
        f"The logits pass through {link['name']} before {place.kind}: they cannot be negative, so {why}. Delete the "
        f"{link['name']} after the last layer.",
        f"delete the {link['name']} before {place.kind}",
        {"loss": place.kind},
        0.95 if binary else 0.7,
    )


def _finding(
    case: Case,
    place: Place,
    link: dict[str, Any],
    sentence: str,
    remedy: str,
    evidence: dict[str, object],
    confidence: float,
) -> Finding:
    return Finding(
        difficulty="wrong-output-activation",
        role="cause",
        confidence=confidence,
        sentence=sentence,
        where=at(link, place),
        cost=Cost(float("inf"), 2.0, float("inf")) if not case.learned else None,
        evidence={"activation": link["name"], **evidence},
        remedies=(remedy,),
        step=0,
    )
