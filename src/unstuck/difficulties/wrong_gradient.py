"""``wrong-gradient``: what ``backward`` gives is not the derivative of the loss.

Decision. Exact: along a random direction of a layer, the derivative by autograd is not the limit of the difference
quotients in double precision (see ``measure.gradient_check``), at two points; the custom functions that fail the same
test alone are named. Where hooks change gradients on their way, the gradient that the program gets is compared with
the replayed one. A straight-through estimator or a reversed gradient is wrong on purpose: a run that learns with it
gets a note, and so does any function whose output moves in jumps, and a hook that only clips. The confidence says
how surely the gradient is wrong, and by mistake.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number, percent
from unstuck.difficulties.finding import Cost, Finding, Role, Where

#: Relative error of a function's own derivative from which on it is accused even of a run that learned.
_FAR_OFF = 0.1


def find(case: Case) -> Finding | None:
    """Return the finding, None where every gradient is that of the loss."""
    checks = [(p.step, p.m["gradient_check"]) for p in case.probes if isinstance(p.m.get("gradient_check"), dict)]
    wrong = [(step, check) for step, check in checks if check.get("wrong") or _changed(check)]
    if not wrong or len(wrong) < 0.5 * len(checks):
        return None
    step, check = wrong[-1]
    if check.get("functions"):
        return _of_function(case, check, step)
    if check.get("hooks"):
        return _of_hook(case, check, step)
    return _of_layers(case, check, step)


def _of_function(case: Case, check: dict[str, Any], step: int) -> Finding:
    functions = check["functions"]
    first = next((f for f in functions if not f.get("flat")), functions[0])
    name, argument = first.get("name", "the function"), first.get("argument", "its input")
    where = _where(first)
    layers = _names(check["wrong"])
    if first.get("flat"):
        return _finding(
            case,
            check,
            step,
            "note",
            f"The output of {name} moves in jumps, so its true gradient is 0, but {name}.backward passes one on to "
            f"{layers}: a straight-through estimator, which goes down another function than the loss",
            where,
            (
                f"keep it if it is meant; else replace {name} by a function that bends smoothly, such as a sigmoid or "
                "tanh, and make it steeper as training goes on",
            ),
            0.5,
        )
    written = _place(_where(first, "backward_"))
    factor = number(first.get("factor"))
    own = _own(factor, number(first.get("error")))
    # A function that changes its input smoothly has one gradient; another one far off is never meant.
    plain = not first.get("identity") and number(first.get("error")) >= _FAR_OFF
    correct = f"return the true gradient with respect to {argument} from {name}.backward{written}"
    if factor == 0:
        correct += ", not zeros"
    elif _tells(factor):
        correct += f": what it returns now, divided by {figure(factor, 3)}"
    return _finding(
        case,
        check,
        step,
        "note" if case.learned and not plain else "cause",
        f"{name}.backward does not return the gradient of what {name}.forward computes: with respect to {argument}, "
        f"{own}. {layers[:1].upper()}{layers[1:]} {'goes' if len(check['wrong']) == 1 else 'go'} down another function "
        "than the loss",
        where,
        (
            correct,
            f"check it in double precision: torch.autograd.gradcheck({name}.apply, inputs), inputs that require grad",
            f"or write the operations of {name}.forward without an autograd.Function: autograd derives them",
        ),
        # A function that changes nothing but the gradient is there to change it.
        0.75 if first.get("identity") else 0.96,
    )


def _of_hook(case: Case, check: dict[str, Any], step: int) -> Finding:
    hook = check["hooks"][0]
    name, worst = hook.get("name", "on a tensor"), _worst(check)
    elsewhere = bool(check.get("wrong"))
    at = _where(hook, layer=worst)
    others = f" (or one of {len(check['hooks']) - 1} others)" if len(check["hooks"]) > 1 else ""
    return _finding(
        case,
        check,
        step,
        "note" if case.learned or not elsewhere else "cause",
        f"The gradient that backward leaves is not that of the loss: in {_names(_changed(check))} it differs by up to "
        f"{_share(number(_entry(check, worst).get('error')))}. The hook {name}{_place(at)}{others} changes gradients "
        "on their way",
        at,
        (
            f"take out the hook {name}, or let it return nothing, which leaves the gradient as it is",
            "to limit gradients, use torch.nn.utils.clip_grad_norm_ after backward(): it keeps their direction",
        ),
        0.75 if elsewhere else 0.5,
    )


def _of_layers(case: Case, check: dict[str, Any], step: int) -> Finding:
    worst = _worst(check)
    entry = _entry(check, worst)
    own = _own(number(entry.get("ratio")), number(entry.get("error")), exact=False)
    return _finding(
        case,
        check,
        step,
        "note" if case.learned else "cause",
        f"The gradient that autograd computes in {_names(check['wrong'])} is not the derivative of the loss: in "
        f"{worst}, {own}",
        case.at_layer(worst),
        (
            f"look between {worst} and the loss for an operation with a backward of its own (an autograd.Function, a "
            "kernel of another library) and check it with torch.autograd.gradcheck",
        ),
        0.8,
    )


def _own(factor: float, error: float, exact: bool = True) -> str:
    """Say how a gradient differs from the true one."""
    if factor == 0:
        return "it is 0 where the true one is not"
    if exact and _tells(factor):
        return f"it is {figure(factor, 3)} times the true one"
    return f"it differs from the true one by {_share(error)}"


def _tells(factor: float) -> bool:
    """Whether a factor says more than that there is an error."""
    return math.isfinite(factor) and figure(factor, 3) not in ("1", "0")


def _share(error: float) -> str:
    return percent(error) if math.isfinite(error) else "an unknown share"


def _worst(check: dict[str, Any]) -> str:
    return str(check.get("worst") or _changed(check)[0])


def _changed(check: dict[str, Any]) -> list[str]:
    """Return the layers whose gradient is another one, be it on purpose."""
    return list(check.get("wrong") or (check.get("changed") if check.get("hooks") else ()) or ())


def _entry(check: dict[str, Any], layer: str) -> dict[str, Any]:
    return dict(check.get("layers", {}).get(layer, {}))


def _where(entry: dict[str, Any], prefix: str = "", layer: str | None = None) -> Where:
    """Return the line that an entry names, as far as it is one."""
    file, line = entry.get(f"{prefix}file"), entry.get(f"{prefix}line")
    known = isinstance(file, str) and isinstance(line, int)
    return Where(layer=layer, file=file if known else None, line=line if known else None)


def _place(where: Where) -> str:
    return f" ({where.file}:{where.line})" if where.file else ""


def _names(layers: Sequence[str]) -> str:
    if len(layers) == 1:
        return f"layer {layers[0]}"
    shown = ", ".join(layers[:3])
    return f"the layers {shown}" + (f" and {len(layers) - 3} more" if len(layers) > 3 else "")


def _finding(
    case: Case,
    check: dict[str, Any],
    step: int,
    role: Role,
    sentence: str,
    where: Where,
    remedies: tuple[str, ...],
    confidence: float,
) -> Finding:
    hurts = role == "cause" and not case.learned
    return Finding(
        difficulty="wrong-gradient",
        role=role,
        confidence=confidence,
        sentence=sentence + ".",
        where=where if where.file else case.at_layer(_worst(check)),
        cost=Cost(float("inf"), 2.0, float("inf")) if hurts else None,
        evidence={
            "layers with a wrong gradient": _changed(check)[:20],
            "layers checked": len(check.get("layers", {})),
            "largest relative error": number(check.get("error")),
            "functions": [f.get("name") for f in check.get("functions", [])],
            "hooks": [h.get("name") for h in check.get("hooks", [])],
        },
        remedies=remedies,
        step=step,
    )
