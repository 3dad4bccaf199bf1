"""``overfit-one-batch``: the network can learn one batch by heart, on a copy of its weights.

A network that cannot is wrong or cut off; one that can, and does not learn in the run, learns slowly. Too few weights,
noise that the inputs do not explain, and other terms in the loss set a limit of their own, so that half the way of what
a constant prediction leaves is enough, and for a network of few weights or an unknown loss any clear part of it.
"""

from __future__ import annotations

import math

from unstuck.checks.check import Check, Question, at_loss, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number, percent
from unstuck.difficulties.finding import Finding

QUESTION = Question("overfit-one-batch", "one batch can be over-fitted")
_ENOUGH, _ANY = 0.5, 0.05
#: Weights per example from which a network has room for a batch.
_ROOM = 10


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    taken = measured(case, "overfit")
    if not taken:
        return QUESTION.unmeasured(why_not(case, "overfit"))
    if case.adversarial:
        return QUESTION.unmeasured("the loss uses weights that another optimizer trains against it")
    one = taken[-1]
    start, end, constant = (number(one.get(key)) for key in ("start", "end", "constant"))
    gained, steps = number(one.get("gained")), int(number(one.get("steps")))
    fell = (start - end) / max(start - number(one.get("lowest")), 1e-30)
    evidence = {k: one.get(k) for k in ("start", "end", "constant", "lowest", "gained", "steps", "rate")}
    course = f"from {figure(start, 3)} to {figure(end, 3)} in {steps} steps of Adam on a copy of the weights"
    if one.get("fitted"):
        return QUESTION.passed(f"One batch is learned by heart: the loss falls {course}.", **evidence)
    roomy = number(one.get("elements")) > _ROOM * max(number(one.get("examples")), 1)
    plain = bool(one.get("known")) and not one.get("other_terms")
    needed = _ENOUGH if roomy and plain else _ANY
    if gained >= needed or (not plain and fell >= _ENOUGH) or math.isnan(gained):
        part = f"{percent(gained)} of what a constant prediction leaves" if gained > 0 else "well below its start"
        return QUESTION.passed(f"The network learns one batch in part, {part}: the loss falls {course}.", **evidence)
    if one.get("still_falling"):
        return QUESTION.unmeasured(f"the time was up while the loss still fell ({course})")
    what = "even one batch" if gained < _ANY else "more than a part of one batch"
    return QUESTION.failed(
        f"The network cannot learn {what}: the loss goes {course}, and a constant prediction gives "
        f"{figure(constant, 3)}. It is not a matter of the learning rate: look at the outputs' range, the shapes in "
        f"the loss, and for layers that pass nothing on.",
        at_loss(case),
        **evidence,
    )
