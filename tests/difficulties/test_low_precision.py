"""Gradients below the smallest number: only of a type that has so few."""

from __future__ import annotations

import pytest

from tests.difficulties.records import Record, learns, stays
from unstuck.difficulties.low_precision import find


def zeros(share: float, autocast: str | None) -> Record:
    """Return a stuck run in which so many of the gradients are exactly 0."""
    precision = {"autocast": autocast, "low": autocast is not None, "lost_updates": 0.0, "zero_gradients": share}
    return Record(loss=stays()).but(
        measured={"precision": {"dtypes": {"float32": 26_122}, "largest": 1.0, **precision}}
    )


def test_gradients_that_underflow_in_float16_are_named():
    finding = find(zeros(0.97, "float16").case())
    assert finding is not None
    assert "float16" in finding.sentence


@pytest.mark.parametrize(("share", "autocast"), [(0.9, "bfloat16"), (0.9, None), (0.3, "float16")])
def test_zeros_of_another_origin_are_no_fault(share, autocast):
    assert find(zeros(share, autocast).case()) is None


def test_steps_that_are_lost_in_a_run_that_went_well_get_a_note():
    numbers = {"autocast": None, "low": True, "lost_updates": 0.98, "zero_gradients": 0.1, "largest": 1.0}
    lost = {"precision": {"dtypes": {"bfloat16": 26_122}, **numbers}}
    stuck = find(Record(loss=stays()).but(measured=lost).case())
    well = find(Record(loss=learns()).but(measured=lost).case())
    assert stuck is not None
    assert well is not None
    assert (stuck.role, well.role) == ("cause", "note")
    assert well.cost is None


def test_weights_of_float32_that_were_thrown_far_off_are_not_too_coarse():
    precision = {"dtypes": {"float32": 900}, "autocast": None, "low": False, "lost_updates": 0.6, "zero_gradients": 0.1}
    thrown = {**precision, "largest": lambda place: 0.3 if place == 0 else 2e4}
    huge = {**precision, "largest": 2e4}
    assert find(Record(loss=stays()).but(measured={"precision": thrown}).case()) is None
    assert find(Record(loss=stays()).but(measured={"precision": huge}).case()) is not None
