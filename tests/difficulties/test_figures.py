"""Numbers as sentences hold them."""

from __future__ import annotations

import math

import pytest

from unstuck.difficulties.figures import figure, geometric_mean, number, percent

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1.57, "1.6"),
        (99.6, "100"),
        (-0.022, "-0.022"),
        (4370, "4 400"),
        (999_600, "1 million"),
        (4.1e7, "41 million"),
        (9.5e9, "9.5 billion"),
        (3.5e32, "3.5e32"),
        (3.1e-5, "3.1e-5"),
        (NAN, "an unknown number"),
        (-INF, "-infinity"),
    ],
)
def test_figure(value: float, text: str):
    assert figure(value) == text


def test_more_digits():
    assert figure(1234.5, 3) == "1 230"
    assert figure(2.3047, 3) == "2.3"
    assert figure(2.3147, 3) == "2.31"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.003, "under 1 %"),
        (0.021, "2.1 %"),
        (0.5, "50 %"),
        (0.998, "over 99 %"),
        (1, "100 %"),
        (2, "200 %"),
    ],
)
def test_percent(share: float, text: str):
    assert percent(share) == text


def test_what_is_no_number_is_nan():
    assert number(3) == 3.0
    assert all(math.isnan(number(value)) for value in (None, "3", [], NAN))


def test_the_geometric_mean_is_of_positive_numbers():
    assert geometric_mean([2.0, 8.0, NAN, 0.0, INF, -1.0]) == pytest.approx(4)
    assert math.isnan(geometric_mean([NAN]))
