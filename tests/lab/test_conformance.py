"""What every experiment of the catalogue promises. Each is run twice in its short form, within one test."""

from __future__ import annotations

import inspect
import json
import re
import time

import pytest
import torch

from unstuck.difficulties.catalogue import DIFFICULTIES
from unstuck.lab.catalogue import EXPERIMENTS
from unstuck.lab.data import find_mnist
from unstuck.lab.experiment import Experiment, Outcome, Performed, Setting
from unstuck.lab.page import render
from unstuck.lab.performing import as_json, perform

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}
#: Seconds of CPU that a short form may take.
LIMIT = 20


def test_names_are_unique_and_those_of_the_command_line():
    assert len(BY_NAME) == len(EXPERIMENTS)
    assert [name for name in BY_NAME if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or name == "all"] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_what_it_says_of_itself(name):
    experiment: Experiment = BY_NAME[name]
    first = inspect.getdoc(type(experiment)).splitlines()[0]
    assert re.fullmatch(r"Show .*\.", first)
    assert experiment.title
    assert experiment.source
    assert experiment.command.startswith("unstuck ")
    assert set(experiment.difficulties) <= {difficulty.name for difficulty in DIFFICULTIES}


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_short_form(name):
    before, began = torch.get_rng_state(), time.process_time()
    done = perform(BY_NAME[name], Setting(quick=True))
    seconds = time.process_time() - began
    if done.outcome is None and "MNIST" in done.problem and find_mnist() is None:
        pytest.skip("no MNIST on this machine")
    assert done.outcome is not None, done.problem
    assert torch.equal(torch.get_rng_state(), before), "torch's global generator was used"
    check_sentences(done.outcome)
    check_numbers(done.outcome)
    check_pictures(name, done.outcome)
    check_page(name, done)
    again = perform(BY_NAME[name], Setting(quick=True)).outcome
    assert numbers(again) == numbers(done.outcome), "the same seed gives the same numbers"
    assert seconds < LIMIT


def numbers(outcome: Outcome) -> list[tuple[str, float]]:
    return [(row.what, row.ours) for row in outcome.comparisons if not row.timed]


def check_sentences(outcome: Outcome) -> None:
    assert len(outcome.seen) == 3
    assert [text for text in outcome.seen if not text.endswith(".") or text != text.strip()] == []
    text = " ".join(outcome.seen)
    assert re.search(r"\d", text), "sentences tell the numbers of this run"
    assert re.findall(r"\b(?:nan|inf|None)\b", text) == []


def check_numbers(outcome: Outcome) -> None:
    rows = outcome.comparisons
    assert rows
    assert len({row.what for row in rows}) == len(rows)
    for row in rows:
        assert re.search(r"\d", row.shown), row
        assert row.source or not row.published, f"where does it stand? {row}"
        assert row.published or row.band is None, f"compared with what? {row}"
        assert row.band is None or row.band[0] <= row.band[1], row
    assert outcome.settings
    assert [key for key, value in outcome.settings.items() if not (key and value)] == []


def check_pictures(name: str, outcome: Outcome) -> None:
    names = [picture.name for picture in outcome.pictures]
    assert names
    assert len(set(names)) == len(names)
    assert [other for other in names if not other.startswith(f"{name}-")] == []
    for picture in outcome.pictures:
        assert picture.title
        assert picture.caption
        assert re.findall(r"\bnan\b", "".join(picture.drawings), re.IGNORECASE) == []


def check_page(name: str, done: Performed) -> None:
    page = render([done])
    assert page.count("<figure") == len(done.outcome.pictures)
    assert f"unstuck lab {name} --quick --seed 0" in page
    told = json.loads(as_json(done.to_json()))
    assert [row["what"] for row in told["comparisons"]] == [row.what for row in done.outcome.comparisons]
