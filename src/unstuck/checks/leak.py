"""``leak``: the examples of a batch are kept apart: no output depends on another example's input.

By gradient, through the network's output (not the loss, which may compare examples). Batch normalisation couples
examples on purpose and is taken as meant.
"""

from __future__ import annotations

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number
from unstuck.difficulties.finding import Finding, Where

QUESTION = Question("leak", "no leakage between examples of a batch")


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    taken = measured(case, "leak")
    if not taken:
        return QUESTION.unmeasured(why_not(case, "leak"))
    one = taken[-1]
    evidence = {key: one.get(key) for key in ("largest", "example", "norms", "examples")}
    if one.get("leaks"):
        i, j = one.get("example") or (0, 1)
        return QUESTION.failed(
            f"Examples of a batch leak into each other: the output for example {i} depends on the input of example {j} "
            f"({figure(number(one.get('largest')))} of how outputs depend on their own input). Look for a view() or "
            f"reshape() that mixes the batch dimension with another, a softmax or mean over dim=0, or batch_first.",
            Where(file=one.get("file"), line=one.get("line")),
            **evidence,
        )
    norms = " (but for batch normalisation, as meant)" if one.get("norms") else ""
    return QUESTION.passed(
        f"Each output depends on its own example only{norms}: the gradient with respect to the others is 0.", **evidence
    )
