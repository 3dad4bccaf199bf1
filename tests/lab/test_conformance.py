"""What every experiment of the catalogue promises, each run in its short form."""

from __future__ import annotations

import inspect
import json
import time
from functools import cache

import pytest
import torch

from unstuck.difficulties.catalogue import DIFFICULTIES
from unstuck.lab.catalogue import EXPERIMENTS
from unstuck.lab.data import find_mnist
from unstuck.lab.experiment import Experiment, Performed, Setting
from unstuck.lab.page import render
from unstuck.lab.performing import as_json, perform

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}
every = pytest.mark.parametrize("name", BY_NAME)


@cache
def performed(name: str) -> tuple[Performed, float, bool]:
    """Run an experiment once for all tests: what came of it, its seconds of CPU, whether it left torch's generator."""
    before, began = torch.get_rng_state(), time.process_time()
    done = perform(BY_NAME[name], Setting(quick=True))
    return done, time.process_time() - began, bool((torch.get_rng_state() == before).all())


def outcome(name: str):
    done = performed(name)[0]
    if done.outcome is None and "MNIST" in done.problem and find_mnist() is None:
        pytest.skip("no MNIST on this machine")
    assert done.outcome is not None, done.problem
    return done.outcome


def test_names_are_unique_and_those_of_the_command_line():
    assert len(BY_NAME) == len(EXPERIMENTS)
    assert [name for name in BY_NAME if name != "-".join(name.lower().split()) or name == "all"] == []


@every
def test_what_it_says_of_itself(name):
    experiment: Experiment = BY_NAME[name]
    first = inspect.getdoc(type(experiment)).splitlines()[0]
    assert first.startswith("Show ")
    assert first.endswith(".")
    assert experiment.title
    assert experiment.source
    assert experiment.command.startswith("unstuck ")
    assert set(experiment.difficulties) <= {difficulty.name for difficulty in DIFFICULTIES}


@every
def test_three_sentences_with_numbers(name):
    seen = outcome(name).seen
    assert len(seen) == 3
    assert [text for text in seen if not text.endswith(".") or text != text.strip()] == []
    assert any(character.isdigit() for character in "".join(seen))
    assert [word for word in ("nan", "inf", "None") if word in " ".join(seen).replace(",", " ").split()] == []


@every
def test_numbers_are_finite_and_formatted(name):
    rows = outcome(name).comparisons
    assert rows
    assert len({row.what for row in rows}) == len(rows)
    for row in rows:
        assert any(character.isdigit() for character in row.shown)
        assert row.band is None or (row.published and row.source and row.band[0] <= row.band[1])
        assert bool(row.published) <= bool(row.source)


@every
def test_pictures(name):
    pictures = outcome(name).pictures
    assert 2 <= len(pictures) <= 4
    assert len({picture.name for picture in pictures}) == len(pictures)
    assert [picture.name for picture in pictures if not picture.name.startswith(f"{name}-")] == []
    for picture in pictures:
        assert picture.title
        assert picture.caption
        assert "NaN" not in "".join(picture.drawings)
        assert " nan" not in "".join(picture.drawings)


@every
def test_setting_is_told(name):
    settings = outcome(name).settings
    assert settings
    assert all(key and value for key, value in settings.items())


@every
def test_page_and_json(name):
    outcome(name)
    done = performed(name)[0]
    page = render([done])
    assert page.count("<figure") == len(done.outcome.pictures)
    assert f"unstuck lab {name} --quick --seed 0" in page
    assert json.loads(as_json(done.to_json()))["comparisons"][0]["what"] == done.outcome.comparisons[0].what


@every
def test_the_short_form_is_short_and_keeps_to_itself(name):
    outcome(name)
    _, seconds, untouched = performed(name)
    assert untouched, "torch's global generator was used"
    assert seconds < 20


@every
@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers(name):
    again = outcome(name), perform(BY_NAME[name], Setting(quick=True)).outcome
    first, second = ([(row.what, row.ours) for row in one.comparisons] for one in again)
    assert first == second
