"""From a watched run to its race."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, breaks
from tests.difficulties.records import learns as learns_well
from tests.trials.fake import FakeEngine, learns
from unstuck.difficulties import diagnose
from unstuck.difficulties.finding import Finding
from unstuck.fixing.choices import Choices
from unstuck.fixing.race import plan, race, watched_settings
from unstuck.record import Run
from unstuck.record.manifest import read, write_whole


def test_the_watched_run_is_measured_more_than_others():
    usual = watched_settings(Path("run"))
    assert (usual.budget, usual.floor, usual.trial) == (0.25, 10.0, False)


def test_a_run_without_steps_has_nothing_to_try():
    run = Run(Path("run"), {})
    assert plan(run, diagnose(run), Choices()) is None


@pytest.fixture
def run(tmp_path) -> Run:
    return FAULTY["step-too-small"].write(tmp_path / "run")


def test_a_race_is_about_the_run_and_what_was_chosen(run):
    run.manifest.update(command=["python", "x.py"], seconds=70.0)
    settings, arms = plan(run, diagnose(run), Choices(trials_budget=5, seeds=4))
    assert settings.command == ("python", "x.py")
    assert (settings.budget_factor, settings.seeds) == (5, (2, 3, 4, 5))
    assert settings.steps == run.steps
    assert settings.seconds == 70.0
    assert 0 < settings.startup < 70.0
    assert arms[0].difficulty == "step-too-small"


def test_a_race_is_about_the_optimizer_with_most_steps_and_leaves_other_phases_alone(run):
    run.manifest.update(command=["python", "x.py"], seconds=70.0)
    (first,), pulse = run.optimizers, run.pulse[0]
    columns = [column.name for column in fields(pulse)]
    early = replace(pulse, **{name: getattr(pulse, name)[:30] for name in columns})
    early = replace(early, time=early.time - early.time[-1] - 1)
    beside = replace(pulse, **{name: getattr(pulse, name)[:300] for name in columns})
    run.optimizers[:] = [replace(first, index=index) for index in range(3)]
    run.pulse.clear()
    run.pulse.update({0: early, 1: beside, 2: pulse})
    assert (run.main_optimizer.index, [one.index for one in run.together]) == (2, [1, 2])
    sound = replace(diagnose(run), findings=())
    settings, _ = plan(run, sound, Choices())
    assert (settings.optimizer, settings.apart, settings.steps) == (2, (0,), len(pulse))
    second = Finding("step-too-small", "cause", 0.9, "", optimizer=1)
    of_the_second, _ = plan(run, replace(sound, findings=(second,)), Choices())
    assert (of_the_second.optimizer, of_the_second.steps) == (1, 300)
    assert type(settings).from_json(settings.to_json(), settings.folder) == settings


@pytest.mark.parametrize(("losses", "lost"), [(learns_well(), None), (breaks(at=40), 41), (breaks(at=0), 1)])
def test_a_race_knows_when_the_run_was_lost(losses, lost, tmp_path):
    run = Record(loss=losses).write(tmp_path / "run")
    run.manifest.update(command=["python", "x.py"], seconds=70.0)
    planned = plan(run, diagnose(run), Choices())
    assert planned is not None
    assert planned[0].lost == lost


def test_it_is_run_and_then_goes_on_as_it_was(run, tmp_path):
    import json

    manifest = {**read(run.path), "command": ["python", "x.py"]}
    write_whole(run.path / "manifest.json", json.dumps(manifest))
    seen = []
    table = race(run.path, Choices(seeds=2), FakeEngine(learns), seen.append)
    assert table.state == "finished"
    assert seen
    again = race(run.path, Choices(seeds=5), FakeEngine(learns), lambda _: None)
    assert again.settings.seeds == (2, 3)
