"""The checks of ``unstuck check``: one file and one entry here each. They read the record and the findings only."""

from __future__ import annotations

from collections.abc import Callable

from unstuck.checks import (
    gradient,
    initial_loss,
    inputs,
    labels,
    leak,
    modes,
    overfit_one_batch,
    parameters,
    precision,
    targets,
)
from unstuck.checks.check import Check as Check
from unstuck.checks.check import Question
from unstuck.difficulties.case import Case
from unstuck.difficulties.diagnosis import cases_of
from unstuck.difficulties.finding import Finding
from unstuck.record import Run

#: In the order in which they are shown: each question, and the function that answers it for one optimizer.
CHECKS: tuple[tuple[Question, Callable[[Case, tuple[Finding, ...]], Check]], ...] = (
    (initial_loss.QUESTION, initial_loss.judge),
    (gradient.QUESTION, gradient.judge),
    (parameters.QUESTION, parameters.judge),
    (overfit_one_batch.QUESTION, overfit_one_batch.judge),
    (leak.QUESTION, leak.judge),
    (inputs.QUESTION, inputs.judge),
    (targets.QUESTION, targets.judge),
    (labels.QUESTION, labels.judge),
    (modes.QUESTION, modes.judge),
    (precision.QUESTION, precision.judge),
)


def judge(run: Run, findings: tuple[Finding, ...]) -> tuple[Check, ...]:
    """Answer every check for a run.

    Args:
        run: The record of its first steps.
        findings: What the catalogue of difficulties found in it.

    Returns:
        One check per question. With several optimizers a check fails if it fails for one of them, and passes if it
        passes for one and fails for none.
    """
    cases = cases_of(run)
    return tuple(_answer(question, function, cases, findings) for question, function in CHECKS)


def _answer(
    question: Question,
    function: Callable[[Case, tuple[Finding, ...]], Check],
    cases: list[Case],
    findings: tuple[Finding, ...],
) -> Check:
    answers = [_guarded(question, function, case, findings) for case in cases]
    if not answers:
        return question.unmeasured("no optimizer step was seen")
    order = {"fail": 0, "pass": 1, "not measured": 2}
    return min(answers, key=lambda check: order[check.status])


def _guarded(
    question: Question,
    function: Callable[[Case, tuple[Finding, ...]], Check],
    case: Case,
    findings: tuple[Finding, ...],
) -> Check:
    """Answer; a fault of ours is no fault of the program."""
    try:
        return function(case, findings)
    except Exception as error:
        return question.unmeasured(f"its judgement failed with {type(error).__name__}: {error}")
