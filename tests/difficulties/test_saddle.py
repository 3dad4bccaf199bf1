"""A plateau with negative curvature, and whether the run could have left it."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, learns, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.saddle import find

FAULT = FAULTY["saddle"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_optimizer_with_the_curvature_and_the_cost():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER}"
    assert "-0.3" in finding.sentence
    assert "did not leave it in 400 steps" in finding.sentence
    assert finding.cost is not None
    assert finding.cost.times_slower == pytest.approx(50)  # up to half the stability limit, which is 100 times above
    assert finding.remedies[0] == "raise the learning rate from 0.01 to about 0.5"


def test_a_plateau_that_was_left_costs_its_share_of_the_run():
    finding = one(FAULT.but(loss=stays(steps=200) + learns(steps=200)))
    assert "left it at step" in finding.sentence
    assert finding.cost is not None
    assert finding.cost.times_slower == pytest.approx(2, rel=0.2)


def test_curvature_of_one_batch_alone_is_not_believed():
    noisy = FAULT.but(measured={"inputs": {"sum": float}, "norms": {"gradient": lambda i: 4.0 if i == 0 else 0.4}})
    assert found(noisy.but(measured={"held_out": {"curvature": 0.1}})) is None
    assert found(noisy.but(measured={"held_out": {"curvature": -0.3}})) is not None


@pytest.mark.parametrize(
    ("batches", "curvature", "named"), [(1, -0.2, False), (1, -0.9, True), (2, -0.2, True), (2, -0.05, False)]
)
def test_a_single_batch_has_to_confirm_it_clearly(batches: int, curvature: float, named: bool):
    held = {"curvature": lambda i: curvature if i < batches else None}
    measured = {
        "inputs": {"sum": float},
        "norms": {"gradient": lambda i: 4.0 if i == 0 else 0.4},
        "curvature": {"raw_smallest": -1.0, "smallest": -1.0},
    }
    assert (found(FAULT.but(measured={**measured, "held_out": held})) is not None) is named


def test_curvature_that_no_stable_step_could_follow_in_time_is_not_accused():
    assert found(FAULT.but(measured={"sharpness": {"ratio": 1.0}, "curvature": {"raw_smallest": -0.01}})) is None


def test_not_without_a_plateau():
    assert found(FAULT.but(loss=learns())) is None


def test_weight_decay_is_named_where_there_is_some():
    assert "take weight decay away until the loss falls" in one(FAULT.but(group={"weight_decay": 0.01})).remedies
