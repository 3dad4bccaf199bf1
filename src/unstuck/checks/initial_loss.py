"""``initial-loss``: the first loss is about that of a network without an opinion.

An untrained network should be as wrong as one that gives every example the same answer, not surer: its first loss lies
near the best constant prediction's, or near that of outputs of zero where the targets are unbalanced or not centred.
Far above both, the outputs start far too large.
"""

from __future__ import annotations

import math
from typing import Any

from unstuck.checks.check import Check, Question, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, number
from unstuck.difficulties.finding import Finding
from unstuck.record.constant import pooled_constant

QUESTION = Question("initial-loss", "first loss against the best constant prediction", ("not-finite",))
#: So many times the loss of a network without an opinion.
_FAR = 3.0
_CLASSES = ("cross_entropy", "nll_loss")
_BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
_SQUARES = ("mse_loss", "squared error")


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    first = next((p for p in case.probes if "baseline" in p.m), None)
    constant = pooled_constant(case.probes)
    if first is None or constant is None:
        return QUESTION.unmeasured(why_not(case, "baseline"))
    if case.adversarial:
        return QUESTION.unmeasured("two optimizers train against each other, so no constant prediction is to be beaten")
    base = first.m["baseline"]
    loss = number(base.get("part"))
    if not math.isfinite(loss):
        return QUESTION.failed(
            "The first loss is not finite: look for log, sqrt or a division at 0, and for NaN in the data.",
            case.at_layer(None),
            loss=base.get("part"),
        )
    head = _head(case)
    indifferent = _indifferent(base, head, loss)
    reference = max(constant, indifferent or 0.0)
    evidence = {"loss": loss, "constant": constant, "no opinion": indifferent}
    if base.get("loss_kind") == "other" or reference <= 0:
        return QUESTION.passed(
            f"The first loss is {figure(loss, 3)}; the best constant prediction gives {figure(constant, 3)}.",
            **evidence,
        )
    ratio = loss / reference
    if ratio > _FAR and indifferent is not None:
        return QUESTION.failed(
            f"The first loss, {figure(loss, 3)}, is {figure(ratio)} times that of a network without an opinion "
            f"({figure(reference, 3)}): the outputs start too large{_outputs(head)}. Scale the inputs, initialise the "
            f"last layer smaller (torch.nn.init.normal_(layer.weight, std=0.01)), or scale the targets.",
            case.at_layer(case.layers[-1].name if case.layers else None),
            **evidence,
        )
    return QUESTION.passed(
        f"The first loss is {figure(loss, 3)}, {figure(loss / constant if constant > 0 else ratio)} times that of the "
        f"best constant prediction ({figure(constant, 3)}).",
        **evidence,
    )


def _head(case: Case) -> dict[str, Any] | None:
    """Return the only place where outputs meet targets at the first step; None where there are several."""
    heads = [h for task in measured(case, "task")[:1] for h in task.get("heads") or () if isinstance(h, dict)]
    return heads[0] if len(heads) == 1 else None


def _indifferent(base: dict[str, Any], head: dict[str, Any] | None, loss: float) -> float | None:
    """Return the loss of outputs of zero, in the units of the step's loss; None where it is not known."""
    kind, constant = base.get("loss_kind"), number(base.get("constant"))
    counts = base.get("counts")
    if kind in _CLASSES and counts and len(counts) > 1:
        own = _entropy(counts)
        # The ratio of the two tells how the loss is scaled; a batch of one class has none to tell.
        return math.log(len(counts)) * (constant / own if own > 0 else 1.0)
    if head is None or not isinstance(head.get("target"), dict):
        return None
    mean, std = number(head["target"].get("mean")), number(head["target"].get("std"))
    if kind in _BINARY and 0 < mean < 1 and constant > 0:
        own = -(mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
        return math.log(2) * max(constant / own, 1.0)
    if kind in _SQUARES and math.isfinite(mean) and std > 0:
        return constant * max(1.0, (mean**2 + std**2) / std**2)
    return None


def _entropy(counts: list[float]) -> float:
    total = sum(counts)
    return -sum(c / total * math.log(c / total) for c in counts if c > 0)


def _outputs(head: dict[str, Any] | None) -> str:
    outputs = head.get("prediction") if head else None
    if not isinstance(outputs, dict) or not math.isfinite(number(outputs.get("std"))):
        return ""
    return f" (their standard deviation is {figure(number(outputs['std']))})"
