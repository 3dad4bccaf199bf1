"""Curves and bars: what is drawn, and where."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from unstuck.lab.plots import Axis, Bar, Series, bars, curves
from unstuck.report.pictures.picture import NARROW, WIDE


def drawn(picture):
    """Return both drawings, parsed."""
    return [ET.fromstring(text) for text in picture.drawings]


def all_of(svg, tag, class_):
    return [e for e in svg.iter() if e.tag.endswith(tag) and class_ in e.get("class", "").split()]


def points(path) -> np.ndarray:
    return np.array(re.findall(r"[ML]([\d.-]+)[ ,]([\d.-]+)", path.get("d")), dtype=float)


def plain(*series, **axes):
    return curves("x-name", "Title", "Caption.", series, axes.get("x", Axis("x")), axes.get("y", Axis("y")))


def test_a_curve_rises_as_its_values_do():
    for svg, width in zip(drawn(plain(Series("a", [0, 1, 2], [0.0, 1.0, 4.0]))), (WIDE, NARROW), strict=True):
        (line,) = all_of(svg, "path", "s1")
        found = points(line)
        assert len(found) == 3
        assert (np.diff(found[:, 0]) > 0).all()
        assert (np.diff(found[:, 1]) < 0).all(), "y grows downwards"
        assert found.min() >= 0
        assert found[:, 0].max() <= width


def test_the_logarithmic_axis_makes_a_power_a_line():
    picture = plain(Series("a", np.arange(9), 10.0 ** -np.arange(9)), y=Axis("y", "log"))
    found = points(all_of(drawn(picture)[0], "path", "s1")[0])
    assert np.diff(found[:, 1]) == pytest.approx([np.diff(found[:, 1])[0]] * 8, abs=0.2)


def test_colours_dashes_dots_and_legend():
    picture = plain(
        Series("seen", [0, 1], [0, 1]),
        Series("theory", [0, 1], [0, 1], "dashed", 0),
        Series("", [0, 1, 2], [0, 1, 1], "dots", 3),
    )
    svg = drawn(picture)[0]
    assert [key.label for key in picture.keys] == ["seen", "theory"]
    assert picture.keys[1].class_ == "s1 dashed"
    assert len(all_of(svg, "path", "dashed")) == 1
    assert len(all_of(svg, "circle", "s4")) == 3


def test_what_is_not_finite_lifts_the_pen():
    svg = drawn(plain(Series("a", [0, 1, 2, 3], [1.0, np.nan, 1.0, np.inf]), Series("b", [0, 3], [0, 2])))[0]
    assert "nan" not in ET.tostring(svg, "unicode").lower()


def test_a_band_encloses_its_curve():
    x = np.arange(5.0)
    svg = drawn(plain(Series("a", x, x, low=x - 1, high=x + 1)))[0]
    (band,), (line,) = all_of(svg, "path", "band"), all_of(svg, "path", "line")
    edge, middle = points(band), points(line)
    assert len(edge) == 10
    assert (edge[:5, 1] < middle[:, 1]).all()
    assert (edge[:4:-1, 1] > middle[:, 1]).all()


def test_long_curves_are_thinned_and_keep_their_ends():
    x = np.linspace(0, 1, 50_000)
    svg = drawn(plain(Series("a", x, x), Series("b", [0, 1], [0, 1], colour=1)))[0]
    long, short = points(all_of(svg, "path", "s1")[0]), points(all_of(svg, "path", "s2")[0])
    assert len(long) <= 600
    assert long[[0, -1]] == pytest.approx(short)


def test_limits_are_kept():
    svg = drawn(plain(Series("a", [0, 1], [0.0, 100.0]), y=Axis("y", limits=(0.0, 1.0))))[0]
    labels = [e.text for e in all_of(svg, "text", "tick")]
    assert "100" not in labels


def test_bars_are_as_long_as_their_values():
    picture = bars("x-bars", "T", "C.", [Bar("a", 1.0), Bar("b", 2.0, 1.5, 2.5, colour=2, note="two")], Axis("s"))
    for svg in drawn(picture):
        one, two = [float(e.get("width")) for e in all_of(svg, "rect", "bar")]
        assert two == pytest.approx(2 * one, rel=0.02)
        assert len(all_of(svg, "line", "whisker")) == 3
        assert [e.text for e in all_of(svg, "text", "strong")] == ["a", "b"]
        assert "two" in [e.text for e in all_of(svg, "text", "tick")]
    assert picture.table.rows == (("a", "1", ""), ("b", "2", "1.5 to 2.5"))


def test_bars_of_nothing_are_still_drawn():
    for svg in drawn(bars("x-bars", "T", "C.", [Bar("a", 0.0), Bar("b", 0.0)], Axis("s"))):
        assert len(all_of(svg, "rect", "bar")) == 2


def test_bars_have_numbers_on_one_axis_only():
    for svg in drawn(bars("x-bars", "T", "C.", [Bar("a", 1.0, note="one"), Bar("b", 7.0, note="all")], Axis("s"))):
        ticks = all_of(svg, "text", "tick")
        heights = {e.get("y") for e in ticks if e.text not in ("one", "all")}
        assert len(heights) == 1, "below the bars"
