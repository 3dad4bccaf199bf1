"""The page of one experiment and that of several, as text."""

from __future__ import annotations

import json
import re

import pytest

from tests.lab.fakes import Bare, Failing, Whole
from unstuck.lab.experiment import Setting
from unstuck.lab.page import render
from unstuck.lab.performing import perform, write


@pytest.fixture(scope="module")
def one():
    return render([perform(Whole(), Setting(quick=True, seed=3))])


@pytest.fixture(scope="module")
def several():
    setting = Setting()
    return render([perform(e, setting) for e in (Whole(), Bare(), Failing(number=float("nan")))])


def cells(page: str, row: str) -> list[str]:
    """Return the cells of the last table row that begins with some text."""
    found = re.findall(rf'<tr><th scope="row">{re.escape(row)}</th>(.*?)</tr>', page)[-1]
    return re.findall(r"<td[^>]*>(.*?)</td>", found)


def test_sentences_are_escaped(one):
    assert "It begins &lt;here&gt;. It goes on &amp; on. It ends with seed 3." in one


def test_each_number_beside_the_published_one(one):
    assert cells(one, "steps to a loss of 0.1") == ["1700 in 100 trials", "1500", "1400 to 1600", "agrees"]
    what = "share of runs that end above the level that was asked for (%)"
    assert cells(one, what) == ["3 (remembered)", "12.5", "", "not compared"]
    assert cells(one, "another of ours") == ["", "3", "exact", "differs"]


def test_pictures_have_headings_captions_and_numbers(one):
    assert one.count("<figure") == 3
    assert one.partition("</style>")[2].count('role="img"') == 6
    assert "How to read it." in one
    assert cells(one, "1") == ["none"]


def test_names_in_the_page_are_unique(one, several):
    for page in (one, several):
        names = re.findall(r' id="([^"]+)"', page)
        assert len(names) == len(set(names))


def test_how_to_run_it_again_and_where_to_read_more(one):
    assert "unstuck lab whole --quick --seed 3" in one
    assert "unstuck explain saddle" in one
    assert "Short forms" in one


def test_nothing_is_loaded(one):
    assert re.findall(r"(?:src|href)=\"(?!#|data:)", one) == []
    assert "<script" not in one


def test_one_page_shows_its_pictures_unfolded(one):
    assert 'class="more"' not in one


def test_several_begin_with_a_table_of_one_line_each(several):
    table = several.partition("<tbody>")[2].partition("</tbody>")[0]
    assert re.findall(r'href="#(\w+)"', table) == ["whole", "bare", "failing"]
    assert "steps to a loss of 0.1" in table
    assert "1 of 2 agree" in table
    assert "the ratio came out as nan" in table
    assert several.count('class="more"') == 2


def test_files(tmp_path):
    setting = Setting()
    page = write([perform(Bare(), setting)], tmp_path / "a" / "b", "bare")
    assert page == tmp_path / "a" / "b" / "bare.html"
    assert json.loads(page.with_suffix(".json").read_text())["name"] == "bare"
    both = write([perform(Bare(), setting), perform(Failing(ValueError("x")), setting)], tmp_path, "all")
    assert [one["verdict"] for one in json.loads(both.with_suffix(".json").read_text())] == [
        "nothing to compare",
        "failed",
    ]
