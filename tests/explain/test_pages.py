"""Every difficulty has a page, every page says all that a page has to say, and its thresholds are those in use."""

from __future__ import annotations

import json
import re
from importlib import import_module

import pytest

from unstuck.difficulties import DIFFICULTIES
from unstuck.difficulties.figures import figure, percent
from unstuck.explain.page import GROUPS, SECTIONS, Page, PageError, names, read_page, source, thresholds

GROUP_OF = {difficulty.name: difficulty.group for difficulty in DIFFICULTIES}


def constants(name: str) -> dict[str, float]:
    """Return the numbers that a difficulty's file names in capitals."""
    module = import_module(f"unstuck.difficulties.{name.replace('-', '_')}")
    numbers = {key: value for key, value in vars(module).items() if re.fullmatch(r"_[A-Z][A-Z_]*", key)}
    return {key: float(value) for key, value in numbers.items() if isinstance(value, (int, float))}


def code(page: Page) -> list[str]:
    """Return the lines of the formulas."""
    return [line for block in re.findall(r"```text\n(.*?)```", page.markdown, re.DOTALL) for line in block.splitlines()]


def test_every_difficulty_has_a_page_and_no_page_is_about_another_thing():
    assert set(names()) == set(GROUP_OF)


@pytest.mark.parametrize("name", names())
def test_a_page_is_whole(name):
    page = read_page(name)
    assert tuple(page.sections) == SECTIONS
    assert all(len(body) > 40 for body in page.sections.values())
    assert page.group == GROUP_OF[name]
    assert page.group in GROUPS
    assert re.fullmatch(r"[A-Z][^\n]{20,140}\.", page.summary)
    assert len(page.picture) > 20
    assert all(len(text) > 40 for text in page.around_picture)
    assert re.search(r"\d{4}|PyTorch", page.sections["Reference"])
    assert code(page) != []


@pytest.mark.parametrize("name", names())
def test_a_page_fits_a_terminal_and_holds_no_left_over(name):
    page = read_page(name)
    assert [line for line in code(page) if len(line) > 76] == []  # with their indent, 80 columns
    assert [line for line in source(name).splitlines() if len(line) > 122] == []
    assert not re.search(r"\{_|TODO|unknown number|infinity", page.markdown)


@pytest.mark.parametrize("name", names())
def test_thresholds_are_those_of_the_difficulty(name):
    known = constants(name)
    quoted = thresholds(name)
    assert set(quoted) <= set(known)
    assert bool(quoted) == bool(known), f"the page quotes {quoted} of {sorted(known)}"
    text = re.sub(r"\s+", " ", read_page(name).markdown)
    for constant in quoted:
        assert figure(known[constant], 3) in text or percent(known[constant]) in text


def test_a_threshold_follows_its_constant(monkeypatch):
    monkeypatch.setattr("unstuck.difficulties.dead_units._SHARE", 0.77)
    assert "at least 77 % of a hidden layer's units" in re.sub(r"\s+", " ", read_page("dead-units").markdown)


@pytest.mark.parametrize("name", names())
def test_names_in_code_marks_are_no_misspelt_difficulties(name):
    words = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", source(name))
    assert [word for word in words if word not in names()] == []


@pytest.mark.parametrize(
    "text",
    ["# other\n\nGroup: step\n\nA summary.\n\n## What it is\n\nx", "# this\n\nA summary.\n\n## What it is\n\nx"],
)
def test_a_page_without_its_head_is_refused(text):
    with pytest.raises(PageError, match="must begin with its name, its group and its summary"):
        _ = Page("this", text).group


def test_a_page_without_its_picture_is_refused():
    with pytest.raises(PageError, match=r"must show the picture this\.svg"):
        _ = Page("this", "# this\n\n![A picture](other.svg)\n").picture


def test_pages_are_plain_data():
    assert json.loads(json.dumps(read_page("saddle").sections)) == read_page("saddle").sections
