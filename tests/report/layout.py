"""What a page must hold to in a real browser: the checks that the tests of reports and of the lab share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.report.browser import Browser

#: Widths of the window, each with whether it is dark; on both sides of where the style sheet changes.
WINDOWS = [(1280, False), (390, True), (360, False), (981, True), (980, False), (741, True), (740, False)]

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


def faults(chromium: Browser, page: Path, width: int, *, dark: bool) -> dict[str, Any]:
    """Open a page, then all that opens in it, and return what is wrong with its layout, by the name of the check."""
    found = {}
    chromium.open(page, width, dark=dark)
    for state in ("closed", "open"):
        if chromium.evaluate("document.documentElement.scrollWidth") > width:
            found[f"sideways, {state}"] = chromium.evaluate("document.documentElement.scrollWidth")
        for name, check in (("overlaps", OVERLAPS), ("cut off", CUT_OFF), ("small", SMALL), ("contrast", CONTRAST)):
            if wrong := chromium.evaluate(check):
                found[f"{name}, {state}"] = wrong
        chromium.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return found


def complaints(chromium: Browser, page: Path) -> list[Any]:
    """Open a page and return what it fetched beside itself, and what the browser reported."""
    chromium.open(page, 1280)
    chromium.evaluate("new Promise(done => setTimeout(done, 100))")
    fetched = [e["params"]["request"]["url"] for e in chromium.events if e["method"] == "Network.requestWillBeSent"]
    bad = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening")
    return [
        *(url for url in fetched if not url.startswith("data:") and url != page.resolve().as_uri()),
        *(event for event in chromium.events if event["method"] in bad),
    ]
