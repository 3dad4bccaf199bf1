"""Pages of the lab in a real browser, held to what the reports are held to."""

from __future__ import annotations

import pytest

from tests.lab.fakes import Bare, Failing, Whole
from tests.report import layout
from unstuck.errors import UsageError
from unstuck.lab.catalogue import EXPERIMENTS
from unstuck.lab.experiment import Setting
from unstuck.lab.performing import perform, write

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["one", "all", "real"])
def page(request, tmp_path_factory):
    """One experiment, several with one that failed, and a real one."""
    chosen = {
        "one": [Whole()],
        "all": [Whole(), Bare(), Failing(UsageError("this experiment needs a file " + "of/some/length/" * 9))],
        "real": [one for one in EXPERIMENTS if one.name == "exploding"],
    }[request.param]
    performed = [perform(experiment, Setting(quick=True)) for experiment in chosen]
    return write(performed, tmp_path_factory.mktemp("lab"), "all" if request.param == "all" else "one")


@pytest.mark.parametrize(("width", "dark"), layout.WINDOWS)
def test_layout(chromium, page, width, dark):
    assert layout.faults(chromium, page, width, dark=dark) == {}


def test_nothing_is_fetched_and_nothing_complains(chromium, page):
    assert layout.complaints(chromium, page) == []


def test_pictures_of_many_experiments_are_folded(chromium, tmp_path):
    page = write([perform(one, Setting()) for one in (Whole(), Bare())], tmp_path, "all")
    chromium.open(page, 1280)
    shown = "[...document.querySelectorAll('svg[role=img]')].filter(svg => svg.checkVisibility()).length"
    assert chromium.evaluate(shown) == 0
    assert "It begins <here>." in chromium.evaluate("document.body.innerText")
    chromium.evaluate("document.querySelector('.more').open = true")
    assert chromium.evaluate(shown) == 3


def test_the_table_leads_to_the_experiments(chromium, tmp_path):
    page = write([perform(one, Setting()) for one in (Whole(), Bare())], tmp_path, "all")
    chromium.open(page, 1280)
    targets = "[...document.querySelectorAll('#main a')].map(a => document.querySelector(a.getAttribute('href')).id)"
    assert chromium.evaluate(targets) == ["whole", "bare"]
