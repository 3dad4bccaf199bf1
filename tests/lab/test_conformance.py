"""Every experiment of the catalogue, in its short form."""

from __future__ import annotations

import json
import math
from functools import cache

import pytest

from unstuck.difficulties.catalogue import DIFFICULTIES
from unstuck.lab.catalogue import EXPERIMENTS
from unstuck.lab.experiment import Setting
from unstuck.lab.page import render
from unstuck.lab.performing import perform

NAMES = [experiment.name for experiment in EXPERIMENTS]


@cache
def performed(name):
    return perform(EXPERIMENTS[NAMES.index(name)], Setting(quick=True))


def test_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_can_be_shown(name):
    one = performed(name)
    assert one.outcome is not None, one.problem
    assert len(one.outcome.seen) == 3
    assert all(sentence.endswith(".") for sentence in one.outcome.seen)
    assert one.outcome.comparisons
    assert all(math.isfinite(row.ours) for row in one.outcome.comparisons)
    assert all(row.source for row in one.outcome.comparisons if row.published)
    pictures = [picture.name for picture in one.outcome.pictures]
    assert len(set(pictures)) == len(pictures) > 1
    assert all(picture.startswith(name) for picture in pictures)
    assert json.loads(json.dumps(one.to_json(), allow_nan=False))["name"] == name
    assert one.outcome.seen[0].split()[0] in render([one])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_numbers(name):
    again = perform(EXPERIMENTS[NAMES.index(name)], Setting(quick=True))
    assert again.to_json()["comparisons"] == performed(name).to_json()["comparisons"]


def test_difficulties_exist():
    known = {difficulty.name for difficulty in DIFFICULTIES}
    assert {name for experiment in EXPERIMENTS for name in experiment.difficulties} <= known
