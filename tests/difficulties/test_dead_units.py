"""Rectified units that give zero for every example."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, Record, learns
from unstuck.difficulties.dead_units import find
from unstuck.difficulties.finding import Finding

FAULT = FAULTY["dead-units"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_layer():
    finding = one(FAULT)
    assert finding.where.layer == "fc2"
    assert finding.where.line == FIRST_LAYER + 1
    assert "In layer fc2, 97 % of the units are dead from the first step on" in finding.sentence
    assert "mean -6, standard deviation 1" in finding.sentence
    assert finding.confidence == 0.9


def test_units_that_died_during_training():
    finding = one(FAULT.but(measured={"layers": {"fc2": {"dead": lambda i: 1.0 if i > 1 else 0.08}}}))
    assert "(at the first step: 8 %)" in finding.sentence
    assert finding.step == 2
    assert finding.confidence == 0.75


def test_half_of_them_may_be_dead():
    assert found(FAULT.but(measured={"layers": {"fc2": {"dead": 0.6}}})) is None


def test_not_where_the_run_learned():
    assert found(FAULT.but(loss=learns())) is None


def test_the_last_layer_does_not_count():
    assert found(FAULT.but(measured={"layers": {"fc2": {"dead": 0.1}, "fc3": {"dead": 1.0}}})) is None


def test_one_batch_is_no_evidence():
    assert found(FAULT.but(probed=(0,))) is None
