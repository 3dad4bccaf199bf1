"""One thread for every test and every program that a test starts: the same numbers, and workers that do not fight."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.report import browser

# Before the first import of torch, which reads them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def chromium() -> Iterator[browser.Browser]:
    """One headless browser for all tests of pages."""
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium or Chrome on PATH")
    with browser.Browser(program) as found:
        yield found
