from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from unstuck.cli import main
from unstuck.explain import names, read_page
from unstuck.explain.page import GROUPS, SECTIONS
from unstuck.explain.terminal import show, show_all


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", names())
def test_a_page_shows_all_sections_with_the_picture_within_the_width(name, width):
    file = io.StringIO()
    show(read_page(name), Console(file=file, width=width))
    text = file.getvalue()
    headings = [line for line in text.splitlines() if line in SECTIONS]
    assert headings == list(SECTIONS)
    assert any(0x2800 < ord(c) <= 0x28FF for c in text)
    assert [mark for mark in ("\x1b", "`", "**", "](", "## ") if mark in text] == []  # rendered, and no colour
    if width >= 80:  # links and formulas are not broken up
        assert max(len(line.rstrip()) for line in text.splitlines()) <= min(width, 100)


def test_a_terminal_gets_colours_and_a_pipe_does_not(capsys):
    file = io.StringIO()
    show(read_page("saddle"), Console(file=file, width=80, force_terminal=True, color_system="standard"))
    assert "\x1b[" in file.getvalue()
    assert main(["explain", "saddle"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\n\n\n" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_a_pipe_that_knows_ascii_only(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["explain", "step-too-large"]) == 0
    text = raw.getvalue().decode("ascii")
    assert "M\\xfcller" in text
    assert re.search(r"^ +1 \+\*\*", text, re.MULTILINE)
    assert re.search(r"^ - Curvature", text, re.MULTILINE)


def test_the_list_has_every_difficulty_with_its_sentence_on_one_line(capsys):
    assert main(["explain"]) == 0
    text = capsys.readouterr().out
    for name in names():
        assert re.search(rf"^  {name} +{re.escape(read_page(name).summary)}$", text, re.MULTILINE)
    assert [line for line in lines(text) if line in GROUPS.values()] == list(GROUPS.values())


def test_the_list_folds_in_a_terminal():
    file = io.StringIO()
    show_all([read_page(name) for name in names()], Console(file=file, width=70))
    assert max(len(line.rstrip()) for line in file.getvalue().splitlines()) <= 70


@pytest.mark.parametrize("word", ["dead-units", "Dead units", "DEAD_UNITS", "dead  units"])
def test_case_blanks_and_underscores_do_not_matter(word, capsys):
    assert main(["explain", word, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "dead-units"


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("vanishing-gradent", "did you mean vanishing-gradient or "),
        ("saddel", "did you mean saddle? "),
        ("softmax", "did you mean double-softmax? "),
        ("xyzzy", "no difficulty 'xyzzy'; 'unstuck explain' lists all"),
        ("", "no difficulty ''; 'unstuck explain' lists all"),
    ],
)
def test_an_unknown_name_is_answered_with_one_sentence_and_what_is_near(word, advice, capsys):
    assert main(["explain", word]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert f"there is no difficulty {word!r}" in err
    assert advice in err


def test_markdown_is_the_page_itself(capsys):
    assert main(["explain", "saddle", "--markdown"]) == 0
    assert capsys.readouterr().out == read_page("saddle").markdown
    assert main(["explain", "--markdown"]) == 0
    assert "| [`saddle`](saddle.md) |" in capsys.readouterr().out


def test_json_is_for_programs(capsys):
    assert main(["explain", "saddle", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    page = read_page("saddle")
    assert found == {"name": "saddle", "group": "surface", "summary": page.summary, "sections": page.sections}
    assert main(["explain", "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == names()


def test_one_form_at_a_time(capsys):
    assert main(["explain", "saddle", "--json", "--markdown"]) == 2
    assert "not allowed with" in capsys.readouterr().err
