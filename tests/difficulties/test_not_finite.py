"""A NaN or an infinity, and where it arose."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, STEP, Record, learns
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.not_finite import find

FAULT = FAULTY["not-finite"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_the_layer_is_named():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{FIRST_LAYER + 1} (fc2)"
    assert finding.sentence == (
        "A value became NaN at step 40 in activation of layer fc2, and the run never recovered."
    )
    assert finding.step == 40


def test_the_operation_is_the_best_witness():
    event = {
        "name": "not_finite",
        "step": 39,
        "value": "inf",
        "operation": "LogBackward0",
        "file": "loss.py",
        "line": 7,
    }
    finding = one(FAULT.but(events=[event], measured={"not_finite": None}))
    assert str(finding.where) == "loss.py:7"
    assert "infinite at step 39 in the operation 'LogBackward0'" in finding.sentence


def test_bad_data():
    finding = one(FAULT.but(measured={"not_finite": {"where": "input", "layer": "fc1", "kind": "nan"}}))
    assert "in the input data" in finding.sentence


def test_parameters_that_broke_in_the_step_before():
    event = {"name": "not_finite", "step": 40, "value": "nan", "parameters": ["fc1.weight"], "parameters_count": 1}
    finding = one(FAULT.but(events=[event], measured={"not_finite": None}))
    assert "parameters fc1.weight" in finding.sentence
    assert finding.where.line == STEP


def test_a_run_that_went_on_has_no_cost():
    loss = learns()
    loss[40] = float("nan")
    finding = one(FAULT.but(loss=loss, measured={"not_finite": None}))
    assert finding.cost is None
    assert "the run went on after it" in finding.sentence


def test_the_loss_alone_is_enough():
    assert str(one(FAULT.but(probed=())).where) == f"train.py:{STEP}"
