"""Races by a metric that the program prints once in a while, and what is said of metrics where the loss is raced by."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.trials.fake import STEPS, Batch, Course, FakeEngine, faster, learns, prints, rate, row_of, settings
from unstuck.trials.arm import Arm
from unstuck.trials.metric import Metric
from unstuck.trials.race import resumed, run_race
from unstuck.trials.spec import Spec
from unstuck.trials.table import Table

ACCURACY = Metric("val accuracy", higher=True, whole=1.0, every=20.0)
TARGET = Metric("val accuracy", higher=True, whole=1.0, target=0.75, every=20.0)


def race(
    folder: Path, arms: list[Arm], metric: Metric | None, engine: FakeEngine | None = None, **changes: Any
) -> Table:
    values = {"budget_factor": 30.0, "metric": metric, **changes}
    return run_race(settings(folder, **values), arms, engine or FakeEngine(prints))


def lengths(engine: FakeEngine, seed: int) -> set[int]:
    return {int(name.rsplit("-n", 1)[1]) for name in engine.ran if f"-s{seed}-" in name}


def test_the_arm_that_is_at_the_target_sooner_is_proven_by_the_steps_to_it(tmp_path: Path):
    (row,) = race(tmp_path, [faster(4.0), faster(0.5)], TARGET).proven
    assert row.arm == faster(4.0)
    assert row.speedup_steps is not None
    assert row.speedup_steps.low > 2
    assert 3 < row.speedup_steps.estimate < 4.5
    assert not row.speedup_steps.at_least
    assert row.objective is not None
    assert row.objective.to_json()["measure"] == "val accuracy"
    assert row.objective.to_json()["target"] == pytest.approx(0.75)
    assert row.final is not None
    assert row.final.estimate > 0, "accuracies are told as they are printed: higher is better"


def test_without_a_target_it_is_where_the_baseline_has_gone_most_of_its_way(tmp_path: Path):
    (row,) = race(tmp_path, [faster(4.0)], ACCURACY).proven
    assert row.objective is not None
    level = row.objective.to_json()
    assert level["target"] == pytest.approx(level["end"] - 0.05 * (level["end"] - level["start"]))
    assert 0.7 < level["target"] < 0.9


def test_a_target_that_the_baseline_does_not_reach_gives_a_lower_bound(tmp_path: Path):
    slow = FakeEngine(partial(prints, tau=2000.0))
    (row,) = race(tmp_path, [faster(40.0)], TARGET, slow).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least
    assert row.objective is not None
    assert row.objective.stuck


def test_an_arm_that_is_there_at_its_first_value_is_a_lower_bound_too(tmp_path: Path):
    (row,) = race(tmp_path, [faster(40.0)], TARGET).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least


def test_what_is_printed_too_seldom_to_tell_proves_nothing(tmp_path: Path):
    """The baseline is there at its third value and the arm at its second: that may be hardly any difference."""
    engine = FakeEngine(partial(prints, every=100, tau=90.0, noise=0.0))
    row = row_of(race(tmp_path, [faster(1.4)], Metric("val accuracy", True, 1.0, 0.9, 100.0), engine), faster(1.4))
    assert row.status == "not-proven"
    assert row.speedup_steps is not None
    assert row.speedup_steps.estimate <= 1


def test_a_program_that_is_there_at_its_first_value_tells_nothing(tmp_path: Path):
    engine = FakeEngine(partial(prints, every=100, tau=20.0))
    row = row_of(race(tmp_path, [faster(1.5)], Metric("val accuracy", True, 1.0, 0.9, 100.0), engine), faster(1.5))
    assert row.status in ("not-proven", "dropped")
    if row.status == "not-proven":
        assert "where it first prints val accuracy" in row.reason


def test_the_screening_is_long_enough_for_a_few_values_and_ends_at_one(tmp_path: Path):
    engine = FakeEngine(partial(prints, every=60))
    race(tmp_path, [faster(4.0), faster(2.0)], Metric("val accuracy", True, 1.0, None, 60.0), engine)
    assert lengths(engine, 1) == {120, 240}
    engine = FakeEngine(prints)
    race(tmp_path / "often", [faster(4.0), faster(2.0)], ACCURACY, engine)
    assert lengths(engine, 1) == {40, 120}
    assert lengths(engine, 2) == {STEPS}


def test_an_arm_that_does_not_print_the_metric_is_no_measurement(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = prints(spec)
        if spec.remedies:
            course.printed = []
        return course

    row = row_of(race(tmp_path, [faster(4.0)], ACCURACY, FakeEngine(formula)), faster(4.0))
    assert (row.status, row.reason) == ("failed", "no val accuracy of the arm was seen to compare it by")


def test_arms_with_other_steps_are_compared_by_time(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        return prints(spec, every=40 if spec.remedies else 20)  # an epoch has twice as many of the shorter steps

    row = row_of(race(tmp_path, [Arm((Batch(2.0),))], TARGET, FakeEngine(formula)), Arm((Batch(2.0),)))
    assert row.speedup_steps is None
    assert row.speedup_seconds is not None
    assert row.speedup_seconds.estimate == pytest.approx(2, rel=0.25)


def test_the_race_is_resumed_by_the_same_metric(tmp_path: Path):
    expected = race(tmp_path, [rate(4.0)], TARGET, FakeEngine(partial(prints, formula=learns))).to_json()
    again, arms = resumed(tmp_path / "trials")
    assert again.metric == TARGET
    assert run_race(again, arms, FakeEngine(dies_after=0)).to_json() == expected
    assert json.loads((tmp_path / "trials" / "table.json").read_text())["settings"]["metric"]["name"] == "val accuracy"


def test_beside_the_loss_it_is_told_how_soon_the_accuracy_is_there(tmp_path: Path):
    (row,) = race(tmp_path, [faster(4.0)], None).proven
    assert row.measure == "loss"
    assert set(row.beside) == {"val accuracy"}  # the training loss that is printed is what was raced by
    found = row.beside["val accuracy"]
    assert found.speedup_steps is not None
    assert found.speedup_seconds is not None
    assert 2.5 < found.speedup_steps.low < found.speedup_steps.high < 5
    assert 0.7 < found.target < 0.95
    assert not found.worse


def test_what_ends_with_a_worse_accuracy_is_not_proven_by_its_loss(tmp_path: Path):
    table = race(tmp_path, [faster(4.0)], None, FakeEngine(partial(prints, lower=0.4)))
    row = row_of(table, faster(4.0))
    assert row.status == "not-proven"
    assert row.reason.startswith("sooner by the training loss, but val accuracy ends 0.")
    assert " lower (0." in row.reason
    assert row.speedup_steps is not None
    assert row.speedup_steps.is_above()


def test_a_difference_within_the_noise_is_none(tmp_path: Path):
    table = race(tmp_path, [faster(4.0)], None, FakeEngine(partial(prints, lower=0.09, noise=0.05)))
    assert row_of(table, faster(4.0)).status == "proven"
