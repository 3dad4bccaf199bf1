"""``detached-graph``: weights are used, but the way from the loss back to them is cut.

Decision. Exact, from the tape: tensors of the optimizer went into operations (or modules ran under ``no_grad``), and no
gradient of the loss reaches them, because a value was taken out of the graph in between: ``detach``, ``.data``,
``.item()``, NumPy. Accused where at least 5 % of the optimizer's weights are cut off and the run stayed below 80 % of
the way; a body kept fixed on purpose that does its work gets a note. Also named: a recurrent state that is cut at every
time step of the same pass, where the run did not learn.
"""

from __future__ import annotations

from typing import Any

from unstuck.difficulties.case import Case, share
from unstuck.difficulties.figures import percent
from unstuck.difficulties.finding import Cost, Finding, Where

_PART, _WELL = 0.05, 0.8
_WAYS = {
    "no_grad": "it runs under torch.no_grad()",
    "detach": "detach()",
    "data": ".data",
    "item": ".item()",
    "tolist": ".tolist()",
    "numpy": ".numpy()",
    "__array__": "a NumPy function",
}


def find(case: Case) -> Finding | None:
    """Return the finding, None where the graph is whole."""
    audits = [p.m["parameters"] for p in case.probes if "parameters" in p.m]
    cuts = [a["cut"] for a in audits if isinstance(a.get("cut"), dict)]
    if case.adversarial or not cuts or share(isinstance(a.get("cut"), dict) for a in audits) < 0.8:
        return None
    cut = cuts[-1]
    poor = case.course is None or case.course.ends_bad or not case.course.gain > _WELL
    if cut.get("what") == "past":
        return _past(case, cut) if poor and not case.learned else None
    part = cut["elements"] / max(audits[-1]["held_elements"], 1)
    bad = poor and part >= _PART
    names = ", ".join(cut["names"][:3]) + (", ..." if len(cut["names"]) > 3 else "")
    how = _WAYS.get(cut["how"], cut["how"])
    cause = (
        "they run under torch.no_grad()" if cut["how"] == "no_grad" else f"{how} takes their output out of the graph"
    )
    return _finding(
        case,
        cut,
        f"No gradient reaches {cut['count']} of the optimizer's tensors ({names}; {percent(part)} of its weights), "
        f"though the loss is computed from what they give: {cause}. Delete it, so that backward() goes on to them.",
        {"tensors cut off": cut["count"], "share of the weights": part, "by": cut["how"]},
        bad,
        0.95 if bad else 0.5,
    )


def _past(case: Case, cut: dict[str, Any]) -> Finding:
    return _finding(
        case,
        cut,
        f"The graph is cut {cut['times']} times within one step, at every pass of a loop: nothing that happened "
        f"earlier in the sequence gets a gradient. Move the {_WAYS.get(cut['how'], cut['how'])} out of the loop, to "
        f"where a new batch begins.",
        {"cuts in a step": cut["times"], "by": cut["how"]},
        True,
        0.8,
    )


def _finding(
    case: Case, cut: dict[str, Any], sentence: str, evidence: dict[str, object], bad: bool, confidence: float
) -> Finding:
    where = Where(file=cut["file"], line=cut.get("line")) if cut.get("file") else case.at_step
    return Finding(
        difficulty="detached-graph",
        role="cause" if bad else "note",
        confidence=confidence,
        sentence=sentence,
        where=where,
        cost=Cost(float("inf"), 2.0, float("inf")) if bad else None,
        evidence=evidence,
        remedies=(
            "delete the detach(), no_grad(), .data, .item() or NumPy call between these layers and the loss",
            "to keep them fixed on purpose, freeze them with requires_grad_(False) and leave them out of the optimizer",
        ),
        step=0,
    )
