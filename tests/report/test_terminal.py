from __future__ import annotations

import io

import pytest
from rich.console import Console

from unstuck.report import terminal


def _shown(case, **options) -> str:
    file = io.StringIO()
    terminal.show(*case, Console(file=file, **{"width": 80, **options}))
    return file.getvalue()


def test_says_what_matters_in_order_and_in_few_lines(stuck):
    text = _shown(stuck)
    order = [
        "STUCK  The loss has stayed", "1  step-too-small  about 6 times slower (5 to 7)", "train.py:31",
        "try  lr=1.0 instead of lr=0.1", "explains  saddle", "explains  vanishing-gradient model.py:12 (net.0)",
        "4  weight-decay-too-strong", "note  unscaled-inputs", "not measured  gradient noise",
        "310 ms, 2.1 % of the run",
        "report.html", "unstuck report stuck", "unstuck explain step-too-small",
    ]  # fmt: skip
    assert [part for part in order if part not in text] == []
    assert [text.find(part) for part in order] == sorted(text.find(part) for part in order)
    assert len(text.splitlines()) <= 35


@pytest.mark.parametrize("width", [40, 80, 200])
def test_fits_the_width_and_keeps_the_text_of_the_program_as_text(case, width):
    text = _shown(case, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert not set(text) & {"\x1b", "\x00", "\u202e"}
    assert len(text.splitlines()) <= 40 or width < 80


def test_markup_of_the_program_is_shown_and_not_obeyed(hostile):
    text = _shown(hostile, width=400, force_terminal=True, color_system="standard")
    assert "<script>alert(1)</script>[red]" in text
    assert "\\x1b[31m" in text


def test_a_terminal_without_unicode(hostile):
    raw = io.BytesIO()
    run, diagnosis = hostile
    file = io.TextIOWrapper(raw, encoding="ascii")
    finding = diagnosis.findings[0]
    object.__setattr__(finding, "sentence", finding.sentence + "é") if "é" not in finding.sentence else None
    terminal.show(run, diagnosis, Console(file=file, width=80))
    file.flush()
    assert b"\\xe9" in raw.getvalue()


def test_a_fault_of_unstuck_is_one_line(hostile):
    assert _shown(hostile, width=400).count("fault ") == 1
