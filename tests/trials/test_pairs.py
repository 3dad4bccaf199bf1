"""Two causes treated at once: the best of each with the best of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.trials.fake import _Made, rate
from unstuck.remedies.learning_rate import LearningRate
from unstuck.trials.arm import Arm
from unstuck.trials.pairs import pairs
from unstuck.trials.table import Row

CAUSES = ("decay", "saddle")


@dataclass(frozen=True)
class Decay(_Made):
    """A remedy of one cause."""

    kind: ClassVar[str] = "test-decay"


def alone(arm: Arm, difficulty: str, gain: float, status: str = "pending") -> Row:
    row = Row(Arm(arm.remedies, difficulty), gains={10: gain})
    row.status = status  # type: ignore[assignment]
    return row


def decay(number: float) -> Arm:
    return Arm((Decay(number),))


def test_the_best_of_one_cause_meets_those_of_the_other():
    rows = [
        alone(decay(1), "decay", 0.0),
        alone(decay(2), "decay", 0.3),
        alone(rate(3), "saddle", 0.0),
        alone(rate(10), "saddle", 0.4),
    ]
    found = [row.arm.remedies for row in pairs(rows, CAUSES)]
    assert found == [
        (Decay(2), LearningRate(10)),
        (Decay(2), LearningRate(3)),
        (Decay(1), LearningRate(10)),
    ]
    assert all(row.combination and row.arm.difficulty == "decay" for row in pairs(rows, CAUSES))


def test_gains_that_are_noise_leave_the_order_of_the_proposals():
    rows = [alone(decay(1), "decay", 0.01), alone(decay(2), "decay", 0.02), alone(rate(3), "saddle", -0.9)]
    assert pairs(rows, CAUSES)[0].arm.remedies == (Decay(1), LearningRate(3))


def test_what_failed_alone_is_not_paired():
    failed = alone(decay(1), "decay", 0.5, status="failed")
    assert pairs([failed, alone(rate(3), "saddle", 0.5)], CAUSES) == []


def test_symptoms_one_cause_and_remedies_of_one_kind_give_no_pairs():
    rows = [alone(rate(3), "decay", 0.5), alone(rate(10), "saddle", 0.5)]
    assert pairs(rows, CAUSES) == []
    assert pairs([alone(decay(1), "decay", 0.5), alone(rate(10), "saddle", 0.5)], ("decay",)) == []
