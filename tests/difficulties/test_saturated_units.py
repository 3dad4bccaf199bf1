"""Bounded activations on their flat ends from the start."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, Record, learns
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.saturated_units import find

FAULT = FAULTY["saturated-units"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_layer_with_slope_and_cause():
    finding = one(FAULT)
    assert finding.where.layer == "fc2"
    assert finding.where.line == FIRST_LAYER + 1
    assert "In layer fc2, 92 % of the tanh activations" in finding.sentence
    assert "standard deviation of 14" in finding.sentence
    assert "9 times as large as 1/sqrt(fan-in)" in finding.sentence
    assert finding.cost is not None
    assert finding.cost.times_slower == pytest.approx(25)


def test_not_where_the_run_learned_fully():
    assert found(FAULT.but(loss=learns(end=0.01))) is None


def test_units_that_saturate_later_have_become_sure():
    late = {"fc2": {"saturated": lambda i: 0.92 if i > 6 else 0.1}}
    assert found(FAULT.but(measured={"layers": late})) is None


def test_the_last_layer_may_saturate():
    sure = {"fc2": {"saturated": 0.1}, "fc3": {"saturated": 0.99}}
    assert found(FAULT.but(measured={"layers": sure})) is None


def test_without_a_slope_no_cost_is_claimed():
    finding = one(FAULT.but(measured={"layers": {"fc2": {"slope": None}}}))
    assert finding.cost is None
    assert "slope" not in finding.sentence
