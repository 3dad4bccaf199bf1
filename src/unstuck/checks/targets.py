"""``targets``: the loss fits the targets, the outputs can reach them, and they belong to the inputs.

Decided by the difficulties that read the loss's meaning off the tape; here is their place among the checks, and the
targets' statistics.
"""

from __future__ import annotations

import math
from typing import Any

from unstuck.checks.check import Check, Question, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number
from unstuck.difficulties.finding import Finding, Where

QUESTION = Question(
    "targets",
    "targets, and a loss that fits them",
    ("shape-broadcast", "double-softmax", "wrong-output-activation", "wrong-loss", "targets-misaligned"),
)


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    # The raw record: a case leaves out heads whose numbers are not finite, and just those are asked for here.
    tasks = [p.m["task"] for p in case.run.of(case.optimizer.index) if isinstance(p.m.get("task"), dict)]
    heads = [h for task in tasks for h in task.get("heads") or () if isinstance(h, dict)]
    heads = [h for h in heads if isinstance(h.get("target"), dict)]
    if not heads:
        return QUESTION.unmeasured(why_not(case, "task"))
    for head in heads:
        if not all(math.isfinite(number(head["target"].get(key))) for key in ("min", "max")):
            place = Where(file=head.get("file"), line=head.get("line"))
            return QUESTION.failed("The targets hold NaN or infinite values: check them before training.", place)
    first = tasks[0].get("heads") or heads
    words = "; ".join(_words(head) for head in first[:2] if isinstance(head.get("target"), dict))
    return QUESTION.passed(f"{words[:1].upper()}{words[1:]}.", heads=len(first))


def _words(head: dict[str, Any]) -> str:
    target = head["target"]
    shape = " x ".join(map(str, target.get("shape") or ())) or "a single value"
    low, high = figure(number(target.get("min"))), figure(number(target.get("max")))
    return (
        f"{str(head.get('kind')).replace('_', ' ')} with targets ({target.get('kind')}, {shape}) from {low} to {high}"
    )
