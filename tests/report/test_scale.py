from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from unstuck.report.pictures.plot import padded
from unstuck.report.pictures.scale import Scale, nice_step

RANGES = [(0, 1), (2.3022, 2.3029), (-3, 1e6), (1e-9, 3e-9), (0, 250_000), (-1e-12, 1e-12), (5e11, 6e11), (-1, 1e300)]


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("length", [100, 300, 900])
def test_linear_ticks_are_nice_distinct_and_inside(low, high, length):
    scale = Scale(low, high, 0.0, length)
    ticks = scale.ticks(60.0)
    values = [value for value, _ in ticks]
    step = nice_step((high - low) / max(2, int(length / 60)))
    assert values
    assert len({label for _, label in ticks}) == len(ticks)
    assert all(low - 1e-6 * step <= value <= high + 1e-6 * step for value in values)
    assert f"{step:e}"[0] in "125"
    assert all(b - a == pytest.approx(step) for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(("low", "high"), [(0.6, 60), (1e-9, 1e-3), (2, 3), (1e-300, 1e300), (9, 11), (1e4, 1e9)])
def test_log_ticks_stand_apart_and_read_as_their_value(low, high):
    scale = Scale(low, high, 200.0, 0.0, "log")
    ticks = scale.ticks(26.0)
    places = sorted(scale(value) for value, _ in ticks)
    assert all(b - a >= 25.9 for a, b in itertools.pairwise(places))
    assert ticks
    for value, label in ticks:
        number = float(label.replace(" ", "").replace("k", "e3"))
        assert number == pytest.approx(value, rel=1e-3)


def test_symlog_is_odd_and_shows_zero():
    scale = Scale(-1.0, 1.0, 0.0, 100.0, "symlog", 1e-3)
    assert scale(0.0) == pytest.approx(50)
    assert scale(0.1) - 50 == pytest.approx(50 - scale(-0.1))
    labels = [label for _, label in scale.ticks(10.0)]
    assert labels == ["-1", "-0.1", "-0.01", "0", "0.01", "0.1", "1"]


def test_values_outside_are_held_at_the_frame():
    scale = Scale(1.0, 10.0, 0.0, 100.0, "log")
    assert (scale(0.5), scale(1e9)) == (0.0, 100.0)


def test_step_ticks_are_whole():
    scale = Scale(0, 2, 0.0, 900.0, whole=True)
    assert scale.ticks(60.0) == [(0.0, "0"), (1.0, "1"), (2.0, "2")]


@pytest.mark.parametrize("values", [[], [math.nan], [1.0], [0.0, 0.0], [1e308, -1e308], [math.inf, 2.0]])
def test_padded_is_never_empty(values):
    low, high = padded(np.array(values))
    assert math.isfinite(high - low)
    assert low < high
