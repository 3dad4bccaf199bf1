"""``parameters``: every weight that the loss uses is held by an optimizer, gets a gradient, and moves.

Read exactly off the first steps: which weights the loss was computed from, which ones the optimizers hold. Weights
frozen with ``requires_grad_(False)`` are frozen on purpose. What no step of several has reached fails, unless it is a
small part: a scale that one of two losses uses, a layer kept for later.
"""

from __future__ import annotations

from typing import Any

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import percent
from unstuck.difficulties.finding import Finding, Where

QUESTION = Question("parameters", "every parameter is reached and trained", ("parameters-not-trained",))
#: Share of the weights that may be left out.
_SMALL = 0.02


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    audits = measured(case, "parameters")
    if not audits:
        return QUESTION.unmeasured(why_not(case, "parameters"))
    if not any(a.get("backwards") for a in audits):
        return QUESTION.unmeasured("no call of backward was seen; the gradients come from elsewhere")
    fault = _faults(case, audits)
    if fault is None and not _left_out(audits):  # else the finding is about the small part
        fault = QUESTION.accused(findings)
    return fault or _well(audits)


def _faults(case: Case, audits: list[dict[str, Any]]) -> Check | None:
    last = audits[-1]
    if all(a["reached"] == 0 for a in audits):
        return None if case.adversarial else _no_way(case, last)
    outside = _always(audits, "outside")
    part = last["outside_elements"] / max(last["outside_elements"] + last["held_elements"], 1)
    if outside and part > _SMALL:
        return _fail(
            case,
            outside,
            f"No optimizer holds {last['outside_count']} of the tensors that the loss uses and that want gradients "
            f"({_listed(outside)}; {percent(part)} of the weights): give model.parameters() to the optimizer, keep "
            f"layers in nn.ModuleList, and freeze with requires_grad_(False) what should stay as it is",
            last,
        )
    unreached = _always(audits, "unreached")
    if unreached and last["unreached_elements"] / max(last["held_elements"], 1) > _SMALL:
        return _fail(
            case,
            unreached,
            f"No gradient reaches {last['unreached_count']} of the {last['held']} tensors of the optimizer "
            f"({_listed(unreached)}): look for detach(), torch.no_grad(), .data or .item() between them and the loss; "
            f"if they are not used, take them out of the optimizer",
            last,
        )
    if all(rate == 0 for a in audits for rate in a.get("lr") or [1.0]):
        return _fail(case, [], "The learning rate is 0 at every step: no parameter changes", last)
    return None


def _no_way(case: Case, last: dict[str, Any]) -> Check:
    names = last["outside"]
    why = (
        f"it is computed from others ({_listed(names)}): make the optimizer from the parameters of the model in use"
        if names
        else "look for detach(), torch.no_grad(), .data or .item() between the network's output and the loss"
    )
    return _fail(
        case, names, f"The loss reaches none of the {last['held']} tensors that the optimizer holds; {why}", last
    )


def _always(audits: list[dict[str, Any]], key: str) -> list[str]:
    """Return the names that every audit lists; parts of a network may take turns."""
    lists = [a.get(key) or [] for a in audits]
    return [name for name in lists[0] if all(name in other for other in lists[1:])]


def _left_out(audits: list[dict[str, Any]]) -> list[str]:
    return _always(audits, "outside") + _always(audits, "unreached")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _fail(case: Case, names: list[str], sentence: str, audit: dict[str, Any]) -> Check:
    place = case.at_optimizer
    where = Where(parameter=names[0] if names else None, file=place.file, line=place.line)
    keys = ("held", "reached", "outside_count", "outside_elements", "unreached_count", "unreached_elements")
    return QUESTION.failed(sentence + ".", where, **{key: audit[key] for key in keys})


def _well(audits: list[dict[str, Any]]) -> Check:
    last = audits[-1]
    frozen = last.get("frozen_elements") or 0
    left = _left_out(audits)
    words = f"; {frozen} weights are frozen on purpose" if frozen else ""
    words += f"; left out, a small part: {_listed(left)}" if left else ""
    count = last["held"] - last["frozen_count"] - len(_always(audits, "unreached"))
    return QUESTION.passed(
        f"{count} tensors of the optimizer get gradients{words or ', and the loss uses no others that want them'}.",
        held=last["held"],
        frozen_elements=frozen,
        left_out=left,
    )
