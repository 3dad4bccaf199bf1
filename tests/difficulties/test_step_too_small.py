"""Steps far below what the curvature allows, in a run that came nowhere."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, learns
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.step_too_small import find

FAULT = FAULTY["step-too-small"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_optimizer_with_its_cost_and_the_rate_to_try():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER}"
    assert finding.cost is not None
    assert finding.cost.times_slower == 1024  # what the loss along the step allows; half the limit would allow 2500
    assert "0.0005 is too small" in finding.sentence
    assert "1 000 times" in finding.sentence
    assert "2 500 times" in finding.sentence
    assert finding.remedies[0] == "raise the learning rate from 0.0005 to about 0.3"


def test_the_smaller_room_counts():
    finding = one(FAULT.but(measured={"sharpness": {"ratio": 0.01}}))
    assert finding.cost is not None
    assert finding.cost.times_slower == pytest.approx(50)
    assert found(FAULT.but(measured={"sharpness": {"ratio": 0.3}})) is None


def test_one_of_the_two_measurements_is_enough_and_the_other_is_not_claimed():
    assert "stability limit" not in one(FAULT.but(measured={"sharpness": None})).sentence
    assert "own batches" not in one(FAULT.but(measured={"along_update": None})).sentence
    assert found(FAULT.but(measured={"sharpness": None, "along_update": None})) is None


def test_steps_that_do_not_lower_the_loss_could_not_be_longer():
    assert found(FAULT.but(measured={"along_update": {"losses": [2.3] * 6}})) is None


def test_weights_that_moved_far_had_steps_enough():
    assert found(FAULT.but(measured={"norms": {"update_ratio": 0.01}})) is None


def test_a_slow_start_by_a_schedule_is_taken_out():
    # Measured at the first steps of a warm-up, 1000 times below the rate that comes: no fault of the rate.
    rates = [0.0005 * min(1.0, (step + 1) / 1000) for step in range(400)]
    early = FAULT.but(lr=[*rates[:300], *[0.5] * 100], probed=(0, 1, 2, 4))
    assert found(early) is None


def test_not_where_the_run_learned_or_broke():
    assert found(FAULT.but(loss=learns())) is None
    assert found(FAULT.but(loss=[float("nan")] * 400)) is None


def test_a_rate_of_zero_is_another_fault():
    assert found(FAULT.but(lr=0.0)) is None
