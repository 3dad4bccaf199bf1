"""Layers that shrink and layers that grow the backward signal, in one network."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, learns, stack
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.unstable_gradient import find

FAULT = FAULTY["unstable-gradient"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_fastest_layer():
    finding = one(FAULT)
    assert finding.where.layer == "fc1"
    assert finding.evidence["fastest / slowest layer"] == pytest.approx(4000)
    assert "by 0.1 and others by 8" in finding.sentence
    assert "4 000 times as fast" in finding.sentence


def test_equal_speeds_are_no_fault():
    assert found(FAULT.but(measured={"layers": {f"fc{i}": {"grad": 0.2} for i in range(1, 7)}})) is None


def test_swings_must_go_both_ways():
    assert found(FAULT.but(measured={"layers": {f"fc{i}": {"weight_factor": 1.0} for i in (2, 4, 6)}})) is None


def test_not_where_the_run_learned():
    assert found(FAULT.but(loss=learns())) is None


def test_three_layers_are_too_few():
    assert found(FAULT.but(layers=stack(3))) is None
