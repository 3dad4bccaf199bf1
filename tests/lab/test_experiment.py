"""Comparisons, verdicts, and experiments that fail."""

from __future__ import annotations

import math

import pytest

from tests.lab.fakes import Bare, Failing, Whole
from unstuck.errors import UsageError
from unstuck.lab.experiment import Comparison, Setting
from unstuck.lab.performing import as_json, perform


@pytest.mark.parametrize(
    ("ours", "band", "agrees"), [(1.0, (1.0, 2.0), True), (2.1, (1.0, 2.0), False), (1.0, None, None)]
)
def test_agreement(ours, band, agrees):
    assert Comparison("x", ours, band=band).agrees is agrees


def test_numbers_are_printed_in_their_form():
    assert [Comparison("x", 12.345, form=form).shown for form in (".1f", ".0f", ".4g")] == ["12.3", "12", "12.35"]


def test_verdict_and_headline():
    whole, bare = perform(Whole(), Setting()), perform(Bare(), Setting())
    assert (whole.verdict, bare.verdict) == ("1 of 2 agree", "nothing to compare")
    assert whole.headline.what == "steps to a loss of 0.1"
    assert bare.headline.what == "of ours"
    assert perform(Failing(ValueError("x")), Setting()).headline is None


def test_an_error_is_an_outcome(capsys):
    done = perform(Failing(ValueError("too few digits")), Setting())
    assert (done.outcome, done.verdict, done.problem) == (None, "failed", "ValueError: too few digits")
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_the_user_is_a_sentence(capsys):
    assert perform(Failing(UsageError("no MNIST here")), Setting()).problem == "no MNIST here"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_a_failure(number):
    done = perform(Failing(number=number), Setting())
    assert (done.outcome, done.problem) == (None, f"the ratio came out as {number}")
    as_json(done.to_json())


def test_the_setting_reaches_the_experiment():
    said = []
    done = perform(Whole(), Setting(True, 7, said.append))
    assert said == ["half of it is done"]
    assert done.outcome.seen[2] == "It ends with seed 7."
    assert (done.to_json()["quick"], done.to_json()["seed"]) == (True, 7)


def test_json_takes_no_number_that_is_none():
    with pytest.raises(ValueError, match="Out of range float"):
        as_json([math.nan])
