"""``precision``: numbers are fine enough for the gradients and steps that they hold."""

from __future__ import annotations

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import percent
from unstuck.difficulties.finding import Finding

QUESTION = Question("precision", "precision of weights and gradients", ("low-precision",))
#: Share of steps that rounding swallows, in 16 bits, from which weights do not move as meant.
_LOST = 0.5


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    taken = measured(case, "precision")
    if not taken:
        return QUESTION.unmeasured(why_not(case, "precision"))
    lost = median(case.values("precision", "lost_updates"))
    types = [name for name in taken[-1].get("dtypes") or {} if isinstance(name, str)]
    coarse = any(name in ("float16", "bfloat16") for name in types)
    evidence = {"dtypes": taken[-1].get("dtypes"), "autocast": taken[-1].get("autocast"), "lost_updates": lost}
    if coarse and lost > _LOST:
        return QUESTION.failed(
            f"Weights are kept in {' and '.join(types)}, and {percent(lost)} of the steps are too small to change "
            f"them: keep the weights in float32 and use torch.autocast for the forward pass.",
            case.at_optimizer,
            **evidence,
        )
    autocast = f", autocast to {taken[-1]['autocast']}" if taken[-1].get("autocast") else ""
    return QUESTION.passed(f"Weights are {' and '.join(types) or 'of an unknown type'}{autocast}.", **evidence)
