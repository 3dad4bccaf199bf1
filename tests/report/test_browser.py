"""The page in a real browser: nothing overlaps, nothing scrolls sideways, nothing is fetched, contrast is enough."""

from __future__ import annotations

import pytest

from tests.report import fakes, layout
from unstuck.report import write_reports

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=sorted(fakes.CASES))
def report(request, tmp_path_factory):
    return write_reports(*fakes.CASES[request.param](tmp_path_factory.mktemp("run") / request.param))["html"]


@pytest.mark.parametrize(("width", "dark"), layout.WINDOWS)
def test_layout(chromium, report, width, dark):
    assert layout.faults(chromium, report, width, dark=dark) == {}


def test_the_checks_see_what_they_look_for(chromium, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        """<body style="background: #fff"><p style="color: #999">pale</p>
        <svg role="img" viewBox="0 0 900 50" style="width: 450px"><title>T</title>
        <text x="10" y="30" fill="#000">one</text><text x="20" y="32" fill="#000">two</text>
        <text x="880" y="30" fill="#000">beyond</text></svg>"""
    )
    chromium.open(page, 1280)
    assert chromium.evaluate(layout.OVERLAPS) == ["T: one / two"]
    assert chromium.evaluate(layout.CUT_OFF) == ["T: beyond"]
    assert chromium.evaluate(layout.SMALL) == [0.5]
    assert [text[:6] for text in chromium.evaluate(layout.CONTRAST)] == ["P pale"]


def test_nothing_is_fetched_and_nothing_complains(chromium, report):
    assert layout.complaints(chromium, report) == []


def test_colours_follow_the_reader(chromium, report):
    paper = "getComputedStyle(document.body).backgroundColor"
    chromium.open(report, 1280, dark=False)
    light = chromium.evaluate(paper)
    chromium.open(report, 1280, dark=True)
    assert sum(eval(light[3:])) > 600  # "rgb(252, 252, 251)"
    assert sum(eval(chromium.evaluate(paper)[3:])) < 150


def test_without_javascript_all_is_there(chromium, tmp_path):
    paths = write_reports(*fakes.stuck(tmp_path / "run"))
    chromium.open(paths["html"], 1280, scripts=False)
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)
    text = chromium.evaluate("document.body.innerText")
    for part in (
        "The loss has stayed at 2.303",
        "About 6 times slower (5 to 7)",
        "train.py:31",
        "What was not measured",
    ):
        assert part in text
    visible = (
        "[...document.querySelectorAll('svg[role=img]')].filter(s => s.getBoundingClientRect().height > 50).length"
    )
    assert chromium.evaluate(visible) == 6


def test_keyboard_reaches_everything_that_opens(chromium, tmp_path):
    chromium.open(write_reports(*fakes.stuck(tmp_path / "run"))["html"], 1280)
    reached = []
    for _ in range(20):
        for kind in ("keyDown", "keyUp"):
            chromium.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.append(chromium.evaluate("document.activeElement.textContent.trim().split('\\n')[0]"))
    assert reached[0] == "Skip to the findings"
    assert {text for text in reached if text.startswith("Evidence for")} >= {"Evidence for Step too small"}
    assert "The numbers of How fast each layer learns" in reached
    assert chromium.evaluate("document.querySelectorAll('summary').length") <= len(set(reached))
