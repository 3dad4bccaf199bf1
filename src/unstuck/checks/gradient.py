"""``gradient``: the gradient that the optimizer gets is that of the loss, cleared before it is computed.

The gradient check compares the gradient with difference quotients of the loss in double precision, layer by layer.
"""

from __future__ import annotations

import math

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number
from unstuck.difficulties.finding import Finding

QUESTION = Question("gradient", "gradient check", ("wrong-gradient", "gradients-not-zeroed", "detached-graph"))


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    taken = measured(case, "gradient_check")
    if not taken:
        return QUESTION.unmeasured(why_not(case, "gradient_check"))
    last = taken[-1]
    layers = {n: v for n, v in (last.get("layers") or {}).items() if isinstance(v, dict)}
    wrong = [name for name in last.get("wrong") or () if name in layers]
    functions = [f for f in last.get("functions") or () if isinstance(f, dict)]
    if wrong and not functions:
        return QUESTION.failed(
            f"The gradient of layer {wrong[0]} is not that of the loss: finite differences disagree by "
            f"{figure(number(layers[wrong[0]].get('error')))} of it. Look for a hook that changes gradients, .data or "
            f"detach() in this layer.",
            case.at_layer(wrong[0]),
            layers=wrong,
        )
    errors = [number(v.get("error")) for n, v in layers.items() if not v.get("kink") and n not in wrong]
    largest = max((e for e in errors if math.isfinite(e)), default=0.0)
    names = sorted({str(f.get("name")) for f in functions})
    but = f", but for {', '.join(names)}, which replaces a gradient, on purpose it seems" if names else ""
    return QUESTION.passed(
        f"The gradient agrees with finite differences in {len(errors)} of {len(layers)} layers, to within "
        f"{figure(largest) if largest > 0 else 'rounding'}{but}.",
        error=largest,
        layers=len(layers),
    )
