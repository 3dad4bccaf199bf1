"""``labels``: batches hold the classes that they would hold if they were drawn at random.

Small batches lack classes by chance. What fails is what chance does not explain: over several batches, classes so
unevenly spread that a random order would do so less than once in 10,000 programs.
"""

from __future__ import annotations

import math

import numpy as np

from unstuck.checks.check import Check, Question, at_loss, measured, why_not
from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Finding

QUESTION = Question("labels", "label coverage of batches", ("unshuffled-batches",))
_CHANCE = 1e-4


def judge(case: Case, findings: tuple[Finding, ...]) -> Check:
    """Answer for one optimizer.

    Args:
        case: Its case.
        findings: What the catalogue found in the run.
    """
    accused = QUESTION.accused(findings)
    if accused is not None:
        return accused
    counts = [b["counts"] for b in measured(case, "baseline") if b.get("counts")]
    if not counts or len({len(c) for c in counts}) != 1:
        known = measured(case, "baseline")
        return QUESTION.unmeasured("the targets are no class indices" if known else why_not(case, "baseline"))
    table = np.asarray(counts, dtype=float)
    batches = [int(p.replay["batch"]) for p in case.probes if p.replay.get("batch")]
    if batches and float(np.median(table.sum(1))) > 1.5 * float(np.median(batches)):
        return QUESTION.unmeasured("an example has several targets: the elements of one sequence are no random draws")
    seen = int((table.sum(0) > 0).sum())
    per_batch = float(np.median((table > 0).sum(1)))
    evidence = {"batches": len(table), "classes": table.shape[1], "seen": seen, "in a batch": per_batch}
    if seen < 2 and table.sum() > 0:
        likely = _alone(table)
        if likely < _CHANCE:
            return QUESTION.failed(
                f"All {int(table.sum())} targets of the first {len(table)} batches are of one class: shuffle the data "
                f"(shuffle=True in the DataLoader), or look at how the labels are made.",
                at_loss(case),
                **evidence,
            )
    elif (odds := _chance(table)) < _CHANCE:
        return QUESTION.failed(
            f"A batch holds {figure(per_batch)} of {seen} classes, and a random order would spread them so unevenly "
            f"{_odds(odds)}: batches are not shuffled. Write shuffle=True in the DataLoader, or take "
            f"X[torch.randperm(n)] at every epoch.",
            at_loss(case),
            probability=odds,
            **evidence,
        )
    return QUESTION.passed(
        f"The first {len(table)} batches hold {seen} of {table.shape[1]} classes, a batch {figure(per_batch)}, as "
        f"random ones would.",
        **evidence,
    )


def _alone(table: np.ndarray) -> float:
    """Return the chance of seeing one class only, were the classes equally frequent."""
    return float(table.shape[1] ** (1 - table.sum())) if table.shape[1] > 1 else 1.0


def _chance(table: np.ndarray) -> float:
    """Return the chance that a random order deals classes to batches at least as unevenly (chi-squared).

    The statistic is normal by Wilson and Hilferty's cube root, cautious where cells are expected to hold few.
    """
    table = table[:, table.sum(0) > 0]
    if len(table) < 2:
        return 1.0
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    # Cells that expect less than one add more to the statistic than its distribution knows of.
    statistic = float(((table - expected) ** 2 / np.maximum(expected, 1.0)).sum())
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    z = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return 0.5 * math.erfc(z / math.sqrt(2))


def _odds(chance: float) -> str:
    return f"once in {figure(1 / chance)} times" if chance > 1e-12 else "practically never"
