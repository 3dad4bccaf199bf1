"""The backward signal through the depth of a network, as read from a probe."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.difficulties.records import Record, layer, stack
from unstuck.difficulties.depth import Profile, profiles, read_profile


def profile_of(layers: list[dict[str, Any]], numbers: dict[str, Any]) -> Profile:
    case = Record(layers=layers).but(measured={"layers": numbers}).case()
    profile = read_profile(case, case.probes[0])
    assert profile is not None
    return profile


def test_a_layers_factor_is_slope_times_weights():
    profile = profile_of(stack(3), {"fc1": {"slope_factor": 0.5, "weight_factor": 3.0}})
    assert profile.names == ["fc1", "fc2", "fc3"]
    assert profile.factors == pytest.approx([1.5, 0.975])
    assert profile.signal == pytest.approx(1.5 * 0.975)
    assert profile.speeds == pytest.approx([0.2 / 6] * 3)


def test_layers_without_weights_are_counted_with_the_one_before():
    layers = [*stack(2)[:1], layer("norm", 32, kind="norm"), *stack(3)[1:]]
    profile = profile_of(layers, {"norm": {"slope_factor": 0.1, "weight_factor": None}})
    assert profile.names == ["fc1", "fc2", "fc3"]
    assert profile.factors[0] == pytest.approx(0.75 * 1.3 * 0.1)


def test_the_milder_of_two_measures_counts():
    small = {"fc1": {"delta": 1e-6, "slope_factor": 0.5, "weight_factor": 1.0}, "fc3": {"delta": 1.0}}
    assert profile_of(stack(3), small).end_to_end == pytest.approx(0.5 * 0.975)
    large = {"fc1": {"delta": 1e6, "slope_factor": 4.0, "weight_factor": 1.0}, "fc3": {"delta": 1.0}}
    assert profile_of(stack(3), large).end_to_end == pytest.approx(4 * 0.975)


def test_measures_that_contradict_each_other_say_nothing():
    numbers = {"fc1": {"delta": 1e-6, "slope_factor": 9.0, "weight_factor": 9.0}, "fc3": {"delta": 1.0}}
    assert profile_of(stack(3), numbers).end_to_end == 1


def test_what_was_not_measured_is_nan_and_left_out_of_the_signal():
    numbers = {"fc1": {"slope_factor": None, "weight_factor": None, "delta": None, "weight": 0.0}}
    profile = profile_of(stack(3), numbers)
    assert math.isnan(profile.factors[0])
    assert math.isnan(profile.speeds[0])
    assert profile.end_to_end == profile.signal == pytest.approx(0.975)
    assert (profile.shrinking, profile.growing) == (0, 0)


def test_layers_are_counted():
    numbers = {f"fc{i}": {"slope_factor": 1.0, "weight_factor": factor} for i, factor in enumerate((0.4, 3.0, 0.1), 1)}
    profile = profile_of(stack(4), numbers)
    assert (profile.shrinking, profile.growing) == (2, 1)


def test_one_layer_has_no_depth():
    profile = profile_of(stack(1), {})
    assert profile.factors == []
    assert math.isnan(profile.end_to_end)


def test_probes_without_layers_have_no_profile():
    assert profiles(Record().but(measured={"layers": None}).case()) == []
    assert profiles(Record(layers=[]).case()) == []
