"""Steps that hold the gradients of the steps before, or none at all."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import STEP, Record, learns
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.gradients_not_zeroed import find

FAULT = FAULTY["gradients-not-zeroed"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_step_with_the_count():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{STEP}"
    assert "11 of 11 probed steps" in finding.sentence
    assert "33 times as large as the new ones at step 399" in finding.sentence
    assert finding.remedies == ("call optimizer.zero_grad() before loss.backward() at every step",)


def test_it_is_a_fault_in_a_run_that_learns_too_but_costs_nothing():
    finding = one(FAULT.but(loss=learns()))
    assert finding.role == "cause"
    assert finding.cost is None


def test_once_in_a_while_is_not_always():
    rare = {"parameters": {"stale_norm": lambda i: 0.3 if i in (4, 8) else None}}
    assert found(FAULT.but(measured=rare)) is None


def test_the_first_step_has_none_before_it():
    assert found(FAULT.but(measured={"parameters": {"stale_norm": lambda i: None if i else 0.3}})) is None


def test_gradients_that_are_cleared_before_the_step():
    cleared = {"parameters": {"stale_norm": None, "raw_norm": 0.4, "used_norm": 0.0}}
    assert "between backward() and step()" in one(FAULT.but(measured=cleared)).sentence


def test_gradients_that_are_zero_anyway_were_not_cleared():
    zero = {"parameters": {"stale_norm": None, "raw_norm": 0.0, "used_norm": 0.0}}
    assert found(FAULT.but(measured=zero)) is None
