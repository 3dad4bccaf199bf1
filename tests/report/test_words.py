from __future__ import annotations

import math

import pytest

from unstuck.difficulties.finding import Cost, Where
from unstuck.report import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00123, "1.2e-3"),
        (1_200_000, "1.2 M"),
        (0, "0"),
        (1e-7, "1e-7"),
        (0.0099, "9.9e-3"),
        (0.00999, "0.01"),
        (0.0999, "0.1"),
        (-0.5, "-0.5"),
        (2.3026, "2.3"),
        (9.99, "10"),
        (12.34, "12.3"),
        (99.96, "100"),
        (1234.5, "1 234"),
        (9_999, "10 k"),
        (12_345, "12.3 k"),
        (999_999, "1 M"),
        (3.2e9, "3.2 G"),
        (2.7e14, "2.7e14"),
        (math.nan, "NaN"),
        (-math.inf, "-infinite"),
    ],
)
def test_number(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.012, "12 ms"),
        (0.9999, "1.0 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (72, "1 min 12 s"),
        (3599.8, "1 h"),
        (3725, "1 h 2 min"),
        (math.nan, "unknown"),
    ],
)
def test_duration(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.021, "2.1 %"), (0.0996, "10 %"), (1.5, "150 %"), (1e-5, "under 0.1 %")]
)
def test_percent(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Cost(6.3, 5.1, 7.4), "about 6 times slower (5 to 7)"),
        (Cost(6.3, 5.1, 7.4, "trial"), "6 times slower (5 to 7), measured in trials"),
        (Cost(1.44, 1.2, 1.9), "about 1.4 times slower (1.2 to 1.9)"),
        (Cost(2.0, 2.0, 2.0), "about 2 times slower"),
        (Cost(1234, 800, math.inf), "about 1 200 times slower (800 or more)"),
        (Cost(math.inf, math.inf, math.inf), "does not get there at all"),
        (Cost(math.inf, 3.0, math.inf), "does not get there at all (at least 3 times slower)"),
    ],
)
def test_cost(cost, text):
    assert words.cost(cost) == text


def test_clean_shows_what_could_steer_a_terminal():
    assert words.clean("a\x1b[31m\u202eb\x00\nc\udc80é") == "a\\x1b[31m\\u202eb\\x00 c\\udc80é"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Where(), ""),
        (Where("fc1"), "layer fc1"),
        (Where("fc1", "fc1.bias"), "parameter fc1.bias"),
        (Where("fc1", file="a.py", line=3), "a.py:3 (fc1)"),
    ],
)
def test_place(where, text):
    assert words.place(where) == text


@pytest.mark.parametrize("length", [4, 9, 20, 80])
def test_shortened_keeps_both_ends(length):
    text = words.shortened("encoder.layers.11.linear2", length)
    assert len(text) <= length
    assert text.startswith("e")
    assert text.endswith("2")


def test_fitted_drops_what_all_names_share_only_where_it_must():
    names = ["encoder.layers.1.linear1", "encoder.layers.1.linear2", "encoder.layers.10.linear1"]
    assert words.fitted(names, 40) == names
    assert words.fitted(names, 12) == ["1.linear1", "1.linear2", "10.linear1"]
    assert words.fitted(names[:1], 12) == [words.shortened(names[0], 12)]
    assert words.fitted([], 12) == []
