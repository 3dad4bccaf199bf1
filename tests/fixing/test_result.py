"""What ``unstuck.fix`` hands back, from trials that follow a formula."""

from __future__ import annotations

import json

import pytest

import unstuck
from tests.difficulties.planted import FAULTY
from tests.trials.fake import FakeEngine, learns, rate, settings
from unstuck.fixing.result import FixResult
from unstuck.trials.arm import Arm
from unstuck.trials.race import run_race


@pytest.fixture(scope="module")
def proven(tmp_path_factory) -> FixResult:
    folder = tmp_path_factory.mktemp("proven") / "run"
    FAULTY["step-too-small"].write(folder)
    arms = [Arm(rate(factor).remedies, "step-too-small") for factor in (0.5, 8.0)]
    run_race(settings(folder), arms, FakeEngine(learns))
    return FixResult(folder, ("train uses a <Net> of yours.",))


def test_the_proven_arm_is_at_hand(proven):
    (best,) = proven.proven
    assert (best.label, best.difficulty) == ("learning rate x 8", "step-too-small")
    assert best.speedup.estimate > best.speedup.low > 1.1
    assert best.edit == best.edits[0].sentence
    assert [arm.label for arm in proven.arms if arm.status == "proven"] == ["learning rate x 8"]
    assert proven.findings[0].cost.measured_by == "trial"


def test_printed_it_is_what_the_terminal_says(proven):
    text = str(proven)
    assert proven.verdict.sentence[:40] in text
    assert "PROVEN" in text
    assert f"do  {proven.proven[0].edit}"[:60] in text
    assert text.endswith("\n\ntrain uses a <Net> of yours.")
    assert repr(proven).startswith("<unstuck fix run: ")
    assert "learning rate x 8" in repr(proven)


def test_a_notebook_shows_it(proven):
    page = proven._repr_html_()
    assert "<b>learning rate x 8</b>" in page
    assert "train uses a &lt;Net&gt; of yours." in page


def test_the_report(proven, tmp_path):
    written = json.loads(proven.report(tmp_path / "fix.json").read_text())
    assert written["trials"][0]["proven"]
    assert "What was proven" in proven.report(tmp_path / "fix.html").read_text()
    assert proven.report() == proven.path / "report.html"
    with pytest.raises(unstuck.UsageError, match=r"\.html, \.md or \.json file; got 'fix\.pdf'"):
        proven.report("fix.pdf")


def test_without_trials(tmp_path):
    FAULTY["step-too-small"].write(tmp_path / "run")
    result = FixResult(tmp_path / "run")
    assert (result.trials, result.arms, result.proven) == (None, (), [])
    assert str(result).endswith("no trials: no finding of this run has a remedy that can be tried from outside")
    assert "no trials were made" in result._repr_html_()
