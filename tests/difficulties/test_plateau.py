"""Plateaus, and the curvature that is believed on them."""

from __future__ import annotations

import math

import pytest

from tests.difficulties.records import Record, breaks, falls, learns, stays
from unstuck.difficulties.plateau import find_plateau, negative_curvature


def test_a_run_that_goes_nowhere_is_all_plateau():
    plateau = find_plateau(Record(loss=stays()).case())
    assert plateau is not None
    assert plateau.share == 1
    assert plateau.level == pytest.approx(2.3, rel=0.01)
    assert not plateau.left
    assert len(plateau.probes) == 12


def test_a_plateau_that_is_left():
    plateau = find_plateau(Record(loss=stays(steps=200) + learns(steps=200)).case())
    assert plateau is not None
    assert plateau.left
    assert 0.5 <= plateau.share < 0.6
    assert plateau.last == pytest.approx(200, abs=20)


def test_a_floor_that_was_reached_by_learning_is_none():
    plateau = find_plateau(Record(loss=learns()).case())
    assert plateau is not None
    assert plateau.share < 0.1
    assert plateau.left


def test_too_few_losses():
    assert find_plateau(Record(loss=stays(steps=20)).case()) is None
    assert find_plateau(Record(loss=[]).but(loss=[2.3, 2.3]).case()) is None


def test_losses_that_are_not_finite_are_left_out():
    plateau = find_plateau(Record(loss=breaks(200)).case())
    assert plateau is not None
    assert plateau.last < 200
    assert find_plateau(Record(loss=[float("nan")] * 100).case()) is None


def test_a_steady_fall_has_only_its_beginning():
    plateau = find_plateau(Record(loss=falls(2.3, 0.1)).case())
    assert plateau is not None
    assert plateau.share < 0.3


SADDLE = {"curvature": {"largest": 4.0, "smallest": -0.2, "raw_smallest": -0.5}}


def test_negative_curvature_of_the_whole_data_is_believed():
    case = Record().but(measured={**SADDLE, "inputs": {"sum": 1.0}}).case()
    assert case.full_batch
    assert negative_curvature(case, case.probes) == (-0.5, -0.2, 4.0)


@pytest.mark.parametrize(("held", "believed"), [(-0.1, -0.1), (0.3, 0.3), (-2.0, -0.5)])
def test_negative_curvature_of_a_batch_is_believed_as_far_as_another_confirms_it(held: float, believed: float):
    case = Record().but(measured={**SADDLE, "held_out": {"curvature": held}}).case()
    assert not case.full_batch
    assert negative_curvature(case, case.probes)[0] == believed


def test_negative_curvature_that_nothing_confirms_is_not_believed():
    case = Record().but(measured={**SADDLE, "held_out": None}).case()
    assert math.isnan(negative_curvature(case, case.probes)[0])
