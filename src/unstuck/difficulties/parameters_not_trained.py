"""``parameters-not-trained``: weights that the loss uses are given to no optimizer, or those given are not used.

Decision. Exact, from the tape: which leaf tensors the loss was computed from, and which ones the optimizers hold.
Parameters frozen with ``requires_grad=False`` are taken as frozen on purpose where weights were loaded or an earlier
phase of the program trained them, or where the run does well. A run that learns all the same (a head
trained on a body that was left out of the optimizer) gets a note, no accusation.
"""

from __future__ import annotations

from typing import Any

from unstuck.difficulties.case import Case, share
from unstuck.difficulties.figures import percent
from unstuck.difficulties.finding import Cost, Finding, Where

#: A run that got so far does not need its frozen weights trained.
_WELL = 0.6
#: A first loss below so much of a constant prediction's shows weights that were trained before.
_KNOWS = 0.9
#: Share of the weights from which on freezing is accused.
_MOSTLY = 0.3


def find(case: Case) -> Finding | None:
    """Return the finding, None where all weights in use are trained."""
    audits = [p.m["parameters"] for p in case.probes if "parameters" in p.m]
    if not audits:
        return None
    last = audits[-1]
    bad = not case.learned
    if share(a["reached"] == 0 for a in audits) > 0.8:
        other = last["outside_count"] > 0
        why = (
            f"the optimizer trains another model than the one in use{_names(last['outside'])}"
            if other
            else "they belong to another model than the one in use, or the graph is cut between them and the loss"
        )
        remedy = "make the optimizer from the parameters of the model that computes the loss, after the model is final"
        cut = "look for detach(), torch.no_grad(), .data or .item() between the network's output and the loss"
        sentence = f"The loss reaches none of the {last['held']} tensors that the optimizer holds: {why}"
        return _finding(case, sentence, remedy if other else cut, last, "cause", 0.98)
    unchanged = share(a["unchanged_count"] == a["reached"] for a in audits)
    if unchanged > 0.8 and case.lr == 0:
        return _finding(
            case, "The learning rate is 0: no parameter changes", "set a learning rate above 0", last, "cause", 0.97
        )
    if share(a["outside_count"] > 0 for a in audits[1:] or audits) > 0.8:
        elements = last["outside_elements"]
        part = elements / max(elements + last["held_elements"], 1)
        return _finding(
            case,
            f"No optimizer holds {last['outside_count']} of the tensors that the loss uses and that want gradients "
            f"({percent(part)} of the weights){_names(last['outside'])}: they stay as they were initialised",
            "give model.parameters() to the optimizer; keep layers in nn.ModuleList and tensors in nn.Parameter, "
            "and freeze with requires_grad_(False) what should not be trained",
            last,
            "cause" if bad and part > 0.02 else "note",
            0.95 if bad else 0.5,
        )
    frozen = _frozen(case, audits)
    if frozen is not None:
        return frozen
    if share(a["unreached_count"] > 0 for a in audits) > 0.8:
        part = last["unreached_elements"] / max(last["held_elements"], 1)
        return _finding(
            case,
            f"No gradient of the loss reaches {last['unreached_count']} of the {last['held']} tensors of the optimizer"
            f"{_names(last['unreached'])}: the graph is cut before them, or they are not used",
            "look for detach(), torch.no_grad(), .data or .item() between these layers and the loss",
            last,
            "cause" if bad and part >= 0.15 else "note",
            0.85 if bad else 0.5,
        )
    return None


def _frozen(case: Case, audits: list[dict[str, Any]]) -> Finding | None:
    """Return the finding that most weights are frozen as they were initialised.

    Frozen on purpose are weights that were trained before: in this program, or in another, so that they were loaded.
    """
    used = [a.get("frozen_used_elements") or 0 for a in audits]
    trained = audits[-1]["held_elements"]
    course = case.course
    poor = course is None or course.ends_bad or not course.gain > _WELL
    if not poor or min(used) == 0 or any(a.get("loaded") for a in audits):
        return None
    if course is not None and course.constant is not None and course.start < _KNOWS * course.constant:
        return None  # its first loss is better than chance: it was trained before
    part = used[-1] / max(used[-1] + trained, 1)
    if part < _MOSTLY:
        return None
    return _finding(
        case,
        f"{percent(part)} of the weights that the loss uses are frozen (requires_grad is False) as they were "
        f"initialised: nothing has trained or loaded them",
        "call requires_grad_(True) on the layers that shall learn before making the optimizer, or load trained weights",
        audits[-1],
        "cause",
        0.8,
    )


def _names(names: list[str]) -> str:
    return f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""


def _finding(case: Case, sentence: str, remedy: str, audit: dict[str, Any], role: Any, confidence: float) -> Finding:
    names = audit["outside"] or audit["unreached"]
    where = case.at_optimizer
    return Finding(
        difficulty="parameters-not-trained",
        role=role,
        confidence=confidence,
        sentence=sentence + ".",
        where=Where(parameter=names[0] if names else None, file=where.file, line=where.line),
        cost=Cost(float("inf"), 2.0, float("inf")) if role == "cause" else None,
        evidence={
            k: audit[k]
            for k in ("held", "reached", "outside_count", "outside_elements", "unreached_count", "frozen_count")
        },
        remedies=(remedy,),
        step=0,
    )
