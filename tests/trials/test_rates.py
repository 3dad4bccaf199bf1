"""The ladder of learning rates: which rung an arm stands on, and the same arm on another."""

from __future__ import annotations

import pytest

from tests.trials.fake import Momentum, rate
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.trials.arm import BASELINE, Arm
from unstuck.trials.rates import joined, rate_of, with_rate


@pytest.mark.parametrize(("factor", "rung"), [(1, 0), (3, 1), (10, 2), (1000, 6), (1 / 3, -1), (0.1, -2), (25, 3)])
def test_a_factor_stands_on_the_nearest_rung(factor: float, rung: int):
    assert rate_of(rate(factor)) == rung


@pytest.mark.parametrize("rung", range(-6, 8))
def test_an_arm_comes_back_to_its_rung(rung: int):
    for arm in (BASELINE, rate(7.0), Arm((WeightDecay(0.0),)), Arm((Exchange("Adam", 1e-3),), "saddle")):
        moved = with_rate(arm, rung)
        assert rate_of(moved) == rung
        assert moved.difficulty == arm.difficulty


def test_the_rate_of_a_new_optimizer_is_its_own():
    arm = Arm((WeightDecay(0.0), Exchange("Adam", 1e-3, {"amsgrad": True})))
    assert with_rate(arm, 3).remedies == (WeightDecay(0.0), Exchange("Adam", 0.03, {"amsgrad": True}))
    assert with_rate(arm, -1).label.endswith("Adam, lr 0.000333, amsgrad True")


def test_rung_zero_has_no_factor():
    assert with_rate(Arm((LearningRate(10.0), Momentum(2.0))), 0).remedies == (Momentum(2.0),)


def test_a_rate_that_is_no_number_is_not_moved():
    assert rate_of(Arm((Exchange("Rprop"),))) is None
    assert rate_of(Arm((Exchange("Adam", 1e-3), LearningRate(3.0)))) is None


def test_two_rates_are_not_joined():
    adam = Arm((Exchange("Adam", 1e-3),))
    assert joined(rate(3.0), adam) is None
    assert joined(rate(3.0), rate(10.0)) is None
    assert joined(rate(3.0), Arm((Momentum(2.0),))) == Arm((LearningRate(3.0), Momentum(2.0)))
