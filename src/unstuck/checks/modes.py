"""``modes``: layers that behave otherwise in training than in use are set to training."""

from __future__ import annotations

from typing import Any

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.finding import Finding, Where

QUESTION = Question("modes", "training mode", ("wrong-mode",))


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    taken = measured(case, "modes")
    if not taken:
        why = why_not(case, "modes")
        if "neither batch normalisation nor dropout" in why:
            return QUESTION.passed(f"There is nothing to set: {why}.")
        return QUESTION.unmeasured(why)
    norms, dropouts = _numbers(taken[-1], "norms"), _numbers(taken[-1], "dropouts")
    if norms.get("fresh"):
        return QUESTION.failed(
            f"{norms['fresh']} batch normalisations evaluate in training, with running statistics that were never "
            f"computed: write model.train() before the training loop.",
            Where(file=taken[-1].get("file"), line=taken[-1].get("line")),
            norms=norms,
            dropouts=dropouts,
        )
    words = []
    if norms:
        words.append(f"{norms.get('training', 0)} batch normalisations train, {norms.get('evaluating', 0)} evaluate")
    if dropouts:
        words.append(f"{dropouts.get('on', 0)} dropouts are on, {dropouts.get('off', 0)} off")
    return QUESTION.passed(f"{'; '.join(words)}.".capitalize(), norms=norms, dropouts=dropouts)


def _numbers(modes: dict[str, Any], key: str) -> dict[str, int]:
    """Return the counts of one kind of layer, none where there is no such layer."""
    given = modes.get(key)
    counts = {k: v for k, v in given.items() if isinstance(v, int)} if isinstance(given, dict) else {}
    return counts if any(counts.values()) else {}
