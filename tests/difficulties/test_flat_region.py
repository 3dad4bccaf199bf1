"""Neither gradient nor curvature."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, learns
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.flat_region import find

FAULT = FAULTY["flat-region"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_with_gradient_and_curvature():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER}"
    assert "norm is only 1e-7" in finding.sentence
    assert "curvature is above 1e-6" in finding.sentence


def test_without_curvature_none_is_claimed():
    assert "curvature" not in one(FAULT.but(measured={"curvature": None})).sentence


def test_a_curved_place_is_not_flat():
    assert found(FAULT.but(measured={"curvature": {"largest": 1.0}})) is None
    assert found(FAULT.but(measured={"curvature": {"smallest": -1.0}})) is None


def test_a_gradient_is_a_way_out():
    assert found(FAULT.but(measured={"norms": {"gradient": 0.01}})) is None


def test_a_minimum_is_no_flat_region():
    assert found(FAULT.but(loss=learns())) is None
