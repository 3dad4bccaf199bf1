"""The page in a real browser: nothing overlaps, nothing scrolls sideways, nothing is fetched, contrast is enough."""

from __future__ import annotations

import pytest

from tests.report import browser, fakes
from unstuck.report import write_reports

pytestmark = pytest.mark.browser

OVERLAPS = """
[...document.querySelectorAll('svg[role=img]')].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const apart = (a, b) =>
    a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
  return boxes.flatMap(([text, a], i) => boxes.slice(i + 1).filter(([, b]) => !apart(a, b)).map(([other]) =>
    svg.querySelector('title').textContent + ': ' + text + ' / ' + other));
})
"""
CUT_OFF = """
[...document.querySelectorAll('svg[role=img]')].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(t => {
    const b = t.getBoundingClientRect();
    return b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 2 || b.bottom > frame.bottom + 2;
  }).map(t => svg.querySelector('title').textContent + ': ' + t.textContent);
})
"""
SMALL = """
[...document.querySelectorAll('svg[role=img]')].filter(svg => svg.getBoundingClientRect().width).map(svg =>
  svg.getBoundingClientRect().width / svg.viewBox.baseVal.width).filter(scale => scale < 0.93)
"""
CONTRAST = """
(() => {
  const light = c => { const v = c.map(x => x / 255).map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const rgba = s => { const v = s.match(/[\\d.]+/g).map(Number); return [v.slice(0, 3), v.length > 3 ? v[3] : 1]; };
  const behind = e => { for (; e; e = e.parentElement) { const [c, a] = rgba(getComputedStyle(e).backgroundColor);
    if (a > 0.5) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType == 3 &&
      n.data.trim()) && e.getClientRects().length && !e.closest('script')).flatMap(e => {
    const style = getComputedStyle(e), svg = e.closest('svg');
    if (svg && e.classList.contains('flag-text')) return [];
    const [front] = rgba(svg ? style.fill : style.color);
    const a = light(front), b = light(behind(svg ? svg.parentElement : e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio < 4.5 ? [e.tagName + ' ' + e.textContent.slice(0, 40) + ' ' + ratio.toFixed(2)] : [];
  });
})()
"""


@pytest.fixture(scope="module")
def chromium():
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium or Chrome on PATH")
    with browser.Browser(program) as found:
        yield found


@pytest.fixture(scope="module", params=sorted(fakes.CASES))
def report(request, tmp_path_factory):
    return write_reports(*fakes.CASES[request.param](tmp_path_factory.mktemp("run") / request.param))["html"]


WINDOWS = [(1280, False), (390, True), (360, False), (981, True), (980, False), (741, True), (740, False)]


@pytest.mark.parametrize(("width", "dark"), WINDOWS)
def test_layout(chromium, report, width, dark):
    chromium.open(report, width, dark=dark)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.evaluate(OVERLAPS) == []
    assert chromium.evaluate(CUT_OFF) == []
    assert chromium.evaluate(SMALL) == []
    assert chromium.evaluate(CONTRAST) == []
    chromium.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width


def test_the_checks_see_what_they_look_for(chromium, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        """<body style="background: #fff"><p style="color: #999">pale</p>
        <svg role="img" viewBox="0 0 900 50" style="width: 450px"><title>T</title>
        <text x="10" y="30" fill="#000">one</text><text x="20" y="32" fill="#000">two</text>
        <text x="880" y="30" fill="#000">beyond</text></svg>"""
    )
    chromium.open(page, 1280)
    assert chromium.evaluate(OVERLAPS) == ["T: one / two"]
    assert chromium.evaluate(CUT_OFF) == ["T: beyond"]
    assert chromium.evaluate(SMALL) == [0.5]
    assert [text[:6] for text in chromium.evaluate(CONTRAST)] == ["P pale"]


def test_nothing_is_fetched_and_nothing_complains(chromium, report):
    chromium.open(report, 1280)
    chromium.evaluate("new Promise(done => setTimeout(done, 100))")
    fetched = [e["params"]["request"]["url"] for e in chromium.events if e["method"] == "Network.requestWillBeSent"]
    assert [url for url in fetched if not url.startswith("data:")] == [report.resolve().as_uri()]
    bad = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening")
    assert [event for event in chromium.events if event["method"] in bad] == []


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
