"""``double-softmax``: probabilities are given to a loss that turns its input into probabilities once more.

Decision. Exact, from the tape: a softmax leads straight into ``cross_entropy`` (or into ``log_softmax``), or a sigmoid
into ``binary_cross_entropy_with_logits``. A second softmax of numbers between 0 and 1 gives each of ``C`` classes
between ``1 / (1 + (C - 1) e)`` and ``e / (e + C - 1)``: the loss cannot fall below ``log(1 + (C - 1) / e)``, 1.46 for
10 classes, and the gradient is squashed twice. ``log_softmax`` before ``cross_entropy`` changes nothing and is fine.
"""

from __future__ import annotations

import math
from typing import Any

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import Place, activation, at, places, shape


def find(case: Case) -> Finding | None:
    """Return the finding, None where every loss is given what it wants."""
    for place in places(case):
        if place.most(lambda head, kind=place.kind: _first(head, kind) is not None):  # type: ignore[misc]
            head = next(h for h in reversed(place.heads) if _first(h, place.kind))
            link = _first(head, place.kind)
            assert link is not None
            return _finding(case, place, head, link)
    return None


def _first(head: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the activation that comes before the loss's own, None where there is none."""
    links = head["activations"]
    if kind == "cross_entropy" and len(shape(head["prediction"])) > 1:
        link = activation(head, "softmax")
        return link if link is not None and not head["single"] and _over_classes(link, head) else None
    if kind == "nll_loss" and len(links) > 1 and links[0]["name"] == "log_softmax" and links[1]["name"] == "softmax":
        return links[1] if links[1]["direct"] else None
    if kind == "binary_cross_entropy_with_logits":
        return activation(head, "sigmoid", "softmax")
    return None


def _over_classes(link: dict[str, Any], head: dict[str, Any]) -> bool:
    """A softmax over the wrong dimension is another mistake."""
    return not (link["dim"] == 0 and len(shape(head["prediction"])) > 1)


def _finding(case: Case, place: Place, head: dict[str, Any], link: dict[str, Any]) -> Finding:
    classes = shape(head["prediction"])[1] if place.kind != "binary_cross_entropy_with_logits" else 2
    lowest = math.log1p((classes - 1) / math.e)
    what = "sigmoid" if link["name"] == "sigmoid" else "softmax"
    return Finding(
        difficulty="double-softmax",
        role="cause",
        confidence=0.97,
        sentence=(
            f"A {what} is applied to the outputs before {place.kind}, which applies its own: the loss cannot fall "
            f"below {figure(lowest, 3)}, and gradients pass through both. Delete the {what} and give the loss the raw "
            f"outputs."
        ),
        where=at(link, place),
        cost=Cost(float("inf"), 2.0, float("inf")) if not case.learned else None,
        evidence={"loss": place.kind, "before it": link["name"], "classes": classes, "lowest possible loss": lowest},
        remedies=(
            f"delete the {what} before {place.kind}; apply it only where probabilities are shown",
            "or keep it and use nll_loss(torch.log(p), y) or binary_cross_entropy(p, y)",
        ),
        step=0,
    )
