"""The course of a race: who is screened out, combined, confirmed; and that it is the same whenever it is ended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trials.fake import (
    STEPS,
    Batch,
    Course,
    FakeEngine,
    Momentum,
    OtherLoss,
    learns,
    rate,
    row_of,
    settings,
    tuned,
)
from unstuck.errors import UsageError
from unstuck.remedies import catalogue
from unstuck.remedies.learning_rate import LearningRate
from unstuck.trials.arm import Arm
from unstuck.trials.race import Progress, resumed, run_race
from unstuck.trials.spec import Spec
from unstuck.trials.table import Table
from unstuck.trials.table_file import read_table

CANDIDATES = [rate(f) for f in (1.0, 4.0, 2.0, 0.5, 0.1, 100.0)] + [Arm((Momentum(3.0),), "step-too-small")]


def race(folder: Path, candidates: list[Arm] | None = None, engine: FakeEngine | None = None, **changes: Any) -> Table:
    return run_race(settings(folder, **changes), candidates or CANDIDATES, engine or FakeEngine())


def seeds_of(engine: FakeEngine) -> set[str]:
    return {name.rsplit("-", 2)[1] for name in engine.ran}


def test_the_best_arms_are_combined_and_the_winner_is_proven(tmp_path: Path):
    engine = FakeEngine()
    table = race(tmp_path, engine=engine)
    assert table.state == "finished"
    (proven,) = table.proven
    assert proven.combination
    assert {remedy.kind for remedy in proven.arm.remedies} == {"learning-rate", "test-momentum"}
    assert proven.stage == "confirmation"
    assert proven.speedup_steps is not None
    assert 6 < proven.speedup_steps.low <= proven.speedup_steps.estimate < 20
    assert proven.speedup_steps.pairs == 3
    assert seeds_of(engine) == {"s1", "s2", "s3", "s4"}


def test_every_other_arm_has_a_reason(tmp_path: Path):
    table = race(tmp_path)
    assert row_of(table, rate(100.0)).status == "failed"
    assert "not-finite: its loss was not finite" in row_of(table, rate(100.0)).reason
    assert row_of(table, rate(0.1)).reason == "not better than the program as it is after 40 steps"
    for row in table.rows:
        assert row.status == "proven" or row.reason


def test_the_program_without_a_change_is_never_better(tmp_path: Path):
    table = race(tmp_path, [rate(1.0), rate(0.9)])
    assert row_of(table, rate(1.0)).status == "dropped"
    assert row_of(table, rate(1.0)).gain == 0
    assert not table.proven


def test_confirmation_runs_on_fresh_seeds_against_a_fresh_baseline(tmp_path: Path):
    engine = FakeEngine()
    race(tmp_path, [rate(4.0)], engine)
    fresh = [name for name in engine.ran if "-s1-" not in name]
    assert len(fresh) == 6
    assert sum(name.startswith("baseline-") for name in fresh) == 3


def test_a_long_budget_gives_full_length_and_a_short_one_a_part(tmp_path: Path):
    engine = FakeEngine()
    race(tmp_path / "long", [rate(4.0)], engine, budget_factor=30.0)
    assert "baseline-s2-n400" in engine.ran
    engine = FakeEngine()
    race(tmp_path / "short", [rate(4.0)], engine, budget_factor=1.0, seconds=120.0, startup=4.0)
    assert "baseline-s2-n120" in engine.ran


def test_a_small_budget_leaves_the_last_candidates_untried(tmp_path: Path):
    table = race(tmp_path, budget_factor=1.0, seconds=600.0)
    statuses = [row.status for row in table.rows if not row.combination]
    assert "not-tried" not in statuses[:2]
    assert statuses[-1] == "not-tried"
    assert table.rows[len(CANDIDATES) - 1].reason == "the budget was too small for it"


def test_short_programs_get_every_stage(tmp_path: Path):
    engine = FakeEngine()
    table = race(tmp_path, engine=engine, seconds=3.0, startup=2.0)
    assert table.proven
    assert "baseline-s2-n400" in engine.ran


def test_very_few_steps_are_run_in_full_at_once(tmp_path: Path):
    engine = FakeEngine(lambda spec: learns(spec, tau=8.0))
    table = race(tmp_path, [rate(4.0), rate(2.0), rate(0.5)], engine, steps=30)
    assert all(name.endswith("-n30") for name in engine.ran)
    assert len(set(engine.ran)) == len(engine.ran)
    assert table.proven


def test_the_runner_up_is_confirmed_where_the_winner_is_not_proven(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec)
        if spec.seed > 1 and any(remedy.get("factor") == 8.0 for remedy in spec.remedies):
            course.loss[:] = 2.3  # it was luck
        return course

    table = race(tmp_path, [rate(8.0), rate(4.0), rate(2.0)], FakeEngine(formula), budget_factor=30.0)
    assert row_of(table, rate(8.0)).status == "not-proven"
    assert "does not reach" in row_of(table, rate(8.0)).reason
    assert row_of(table, rate(4.0)).status == "proven"
    assert row_of(table, rate(2.0)).status == "dropped"


def test_an_arm_that_does_not_stay_at_the_target_is_not_proven(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec)
        if spec.remedies and spec.steps == STEPS:
            course.loss[300:] = 2.3
        return course

    table = race(tmp_path, [rate(8.0)], FakeEngine(formula), budget_factor=30.0)
    row = row_of(table, rate(8.0))
    assert row.status == "not-proven"
    assert "does not stay there" in row.reason


@pytest.mark.parametrize(("end", "status"), [(0.08, "not-proven"), (0.0, "proven")])
def test_an_arm_that_is_sooner_and_ends_worse_is_not_proven(tmp_path: Path, end: float, status: str):
    def formula(spec: Spec) -> Course:
        course = learns(spec, tau=50.0)
        if spec.remedies:
            course.loss += end
        return course

    row = row_of(race(tmp_path, [rate(8.0)], FakeEngine(formula), budget_factor=30.0), rate(8.0))
    assert row.status == status
    assert ("worse than the program as it is" in row.reason) is (status == "not-proven")


def test_one_seed_that_got_a_little_way_is_no_matter_where_an_arm_gets_far(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        if spec.remedies:
            return learns(replace(spec, remedies=()), tau=60.0)
        t = np.arange(spec.steps or STEPS)
        course = Course(2.3 + 0.01 * np.random.default_rng(spec.seed).standard_normal(len(t)))
        if spec.seed == 3:
            course.loss += np.exp(-t / 4)
        return course

    (row,) = race(tmp_path, [rate(1.0)], FakeEngine(formula), budget_factor=30.0).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least


def test_an_arm_that_gets_further_is_proven_however_soon_it_is_where_the_program_comes_to_rest(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        if not spec.remedies:
            return learns(spec, tau=20.0 if spec.seed == 3 else 60.0, floor=0.5)
        course = learns(replace(spec, remedies=()), tau=40.0, floor=0.01, noise=0.001)  # whatever the rate
        course.loss[:] = np.abs(course.loss)
        return course

    (row,) = race(tmp_path, [rate(1.0)], FakeEngine(formula), budget_factor=30.0).proven
    assert row.objective is not None
    assert row.objective.stuck
    assert row.objective.target < 0.5
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least


@pytest.mark.parametrize(("difficulty", "status"), [("step-too-small", "proven"), ("", "not-proven")])
def test_an_arm_that_no_finding_asks_for_has_to_gain_more(tmp_path: Path, difficulty: str, status: str):
    def formula(spec: Spec) -> Course:
        return learns(replace(spec, remedies=()), tau=50.0 if not spec.remedies else 38.0)

    arm = Arm((Momentum(1.0),), difficulty)
    row = row_of(race(tmp_path, [arm], FakeEngine(formula), budget_factor=30.0), arm)
    assert row.status == status, row.reason
    assert ("where no finding asks for it" in row.reason) is (status == "not-proven")


def test_an_arm_that_crashes_on_a_fresh_seed_is_not_proven(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec)
        if spec.remedies and spec.seed == 3:
            course.status, course.reason = "crashed", "ValueError: no"
        return course

    row = row_of(race(tmp_path, [rate(8.0)], FakeEngine(formula)), rate(8.0))
    assert (row.status, row.reason) == ("not-proven", "1 of 3 trials failed (crashed: ValueError: no)")


def test_a_stuck_baseline_gives_a_lower_bound(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        return learns(spec) if spec.remedies else Course(np.full(spec.steps or STEPS, 2.3))

    (row,) = race(tmp_path, [rate(1.0)], FakeEngine(formula)).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least
    assert row.objective is not None
    assert row.objective.stuck


def test_a_program_that_is_lost_late_is_raced_beyond_that_point(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec)  # the arm is no faster, and is not lost
        if not spec.remedies:
            course.loss[150 + 10 * spec.seed :] = np.inf
        return course

    engine = FakeEngine(formula)
    (row,) = race(tmp_path, [rate(1.0)], engine, lost=165, budget_factor=10.0).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.at_least
    assert all(int(name.rpartition("-n")[2]) >= 330 for name in engine.ran)


def test_a_program_that_is_lost_is_held_to_the_time_of_the_arm_not_to_its_own(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec, tau=60.0, floor=0.1, noise=0.001)
        course.error = None
        if not spec.remedies:
            course.loss = np.append(course.loss[: 5 * 2 ** (spec.seed - 1)], [np.inf] * 20)  # its trial ends there
            course.status = "not-finite"
        return course

    (row,) = race(tmp_path, [rate(1.0)], FakeEngine(formula), lost=30, budget_factor=10.0).proven
    assert row.speedup_steps is not None
    assert row.speedup_steps.estimate > 5
    assert row.speedup_steps.at_least


def test_arms_that_change_the_loss_are_compared_by_their_errors(tmp_path: Path):
    better, worse = Arm((OtherLoss(3.0),)), Arm((OtherLoss(0.3),))
    table = race(tmp_path, [better, worse], FakeEngine(tuned))
    assert row_of(table, better).status == "proven"
    assert row_of(table, better).measure == "error"
    assert row_of(table, worse).status == "dropped"


def test_an_arm_that_changes_the_loss_fails_where_no_error_is_seen(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        course = learns(spec)
        course.error = None
        return course

    row = row_of(race(tmp_path, [Arm((OtherLoss(3.0),))], FakeEngine(formula)), Arm((OtherLoss(3.0),)))
    assert (row.status, row.reason) == ("failed", "no error of the program was seen to compare it by")


def test_arms_that_change_the_step_are_compared_by_time_and_get_as_much_of_it(tmp_path: Path):
    engine = FakeEngine(tuned)
    arm = Arm((Batch(4.0),))
    table = race(tmp_path, [arm], engine, budget_factor=30.0)
    row = row_of(table, arm)
    assert row.status == "proven"
    assert row.speedup_steps is None
    assert row.speedup_seconds is not None
    assert row.speedup_seconds.estimate == pytest.approx(4, rel=0.3)
    assert any(name.startswith(arm.name) and name.endswith("-n1600") for name in engine.ran)


def test_a_program_that_does_not_train_in_a_trial_is_a_problem_not_a_race(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        return Course(np.empty(0), status="crashed", reason="FileNotFoundError: data.npz")

    table = race(tmp_path, engine=FakeEngine(formula))
    assert table.state == "finished"
    assert "FileNotFoundError: data.npz" in table.problem
    assert {row.status for row in table.rows} == {"not-tried"}


def test_remedies_of_one_kind_are_not_combined(tmp_path: Path):
    table = race(tmp_path, [rate(4.0), rate(2.0)])
    assert all(len(row.arm.remedies) == 1 for row in table.rows)


def test_the_order_in_which_trials_end_makes_no_difference(tmp_path: Path):
    one = race(tmp_path / "one")
    other = race(tmp_path / "other", engine=FakeEngine(backwards=True))
    assert one.to_json() == other.to_json()


def test_a_race_that_is_killed_at_any_point_goes_on_to_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(catalogue._BY_KIND, Momentum.kind, Momentum)
    candidates = [*CANDIDATES, rate(10 / 3)]
    whole = FakeEngine()
    expected = race(tmp_path / "whole", candidates, whole).to_json()
    assert len(whole.ran) > 15
    for number in range(len(whole.ran)):
        folder = tmp_path / str(number)
        first = FakeEngine(dies_after=number)
        assert race(folder, candidates, first).state == "interrupted"
        assert read_table(folder / "trials")["state"] == "interrupted"
        again = FakeEngine()
        table = run_race(*resumed(folder / "trials"), again)
        assert table.to_json() == expected
        assert first.ran + again.ran == whole.ran
        assert json.loads((folder / "trials" / "table.json").read_text()) == expected


def test_a_finished_race_is_read_without_a_trial(tmp_path: Path):
    expected = race(tmp_path).to_json()
    engine = FakeEngine(dies_after=0)
    assert race(tmp_path, engine=engine).to_json() == expected
    assert not engine.ran


def test_a_trial_of_another_command_is_run_again(tmp_path: Path):
    race(tmp_path, [rate(4.0)])
    engine = FakeEngine()
    race(tmp_path, [rate(4.0)], engine, command=("train", "--other"))
    assert engine.ran


def test_progress_tells_what_is_done_and_what_is_left(tmp_path: Path):
    seen: list[Progress] = []
    run_race(settings(tmp_path), [rate(4.0), rate(2.0)], FakeEngine(), seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert seen[-1].done == seen[-1].known
    assert [p.stage for p in seen] == sorted(
        (p.stage for p in seen), key=("screening", "learning rate", "combination", "confirmation").index
    )
    assert seen[0].seconds_left > seen[-1].seconds_left >= 0
    assert all(p.result is not None for p in seen if p.trial is not None)


def test_the_table_is_strict_json_at_every_moment(tmp_path: Path):
    def look(progress: Progress) -> None:
        text = (tmp_path / "trials" / "table.json").read_text()
        assert json.loads(text, parse_constant=pytest.fail)["state"] == "running"

    run_race(settings(tmp_path), CANDIDATES, FakeEngine(), look)
    assert read_table(tmp_path / "trials")["arms"][0]["gains"]["40"] == 0


def test_no_race_is_there_to_be_resumed(tmp_path: Path):
    with pytest.raises(UsageError, match="unstuck fix"):
        resumed(tmp_path)


def test_seeds_that_are_not_fresh_are_refused(tmp_path: Path):
    for seeds in ((1, 2, 3), (2,), (2, 2, 3)):
        with pytest.raises(UsageError, match="two seeds that differ and are not 1"):
            settings(tmp_path, seeds=seeds)
    with pytest.raises(UsageError, match="took 0"):
        settings(tmp_path, steps=0)


def escapes(spec: Spec) -> Course:
    """Return a loss that lies at 2.3 and leaves it late, the sooner the larger the rate."""
    steps = spec.steps or STEPS
    factor = float(np.prod([remedy.get("factor", 1.0) for remedy in spec.remedies]))
    t = np.arange(steps)
    fall = 7.0 * np.exp(-t / 5)  # to the constant, which is fast at any rate
    out = 1 / (1 + np.exp(-(t - 1200 / factor) / 10)) if spec.remedies else 0.0
    noise = 0.002 * np.random.default_rng(spec.seed).standard_normal(steps)
    return Course((2.3 + fall) * (1 - 0.8 * out) + noise)


def test_what_leaves_a_plateau_late_is_found_and_is_what_counts(tmp_path: Path):
    candidates = [rate(2.0), rate(5.0)]
    blind = run_race(settings(tmp_path / "blind"), candidates, FakeEngine(escapes))
    assert not any(row.objective is not None and row.objective.stuck for row in blind.rows)
    engine = FakeEngine(escapes)
    table = run_race(settings(tmp_path, plateau=2.3), candidates, engine)
    (proven,) = table.proven
    assert proven.arm == rate(5.0)
    assert proven.objective is not None
    assert proven.objective.stuck
    assert proven.objective.target < 2.3
    assert {name.rsplit("-n", 1)[1] for name in engine.ran if "-s1-" in name} == {str(STEPS)}


def test_the_first_of_a_kind_spares_the_others_where_it_finds_nothing(tmp_path: Path):
    missing = {Momentum.kind: "it found nothing to change"}

    def formula(spec: Spec) -> Course:
        if any(remedy["kind"] == Momentum.kind for remedy in spec.remedies):
            return Course(np.ones(2), status="not-applied", reason="nothing", missing=missing)
        return learns(spec)

    engine = FakeEngine(formula)
    arms = [Arm((Momentum(float(n)),)) for n in (1, 2, 3)]
    table = race(tmp_path, [*arms, rate(4.0)], engine)
    assert sum(name.startswith("test-momentum") for name in engine.ran) == 1
    for arm in arms[1:]:
        row = row_of(table, arm)
        assert (row.status, row.reason) == ("failed", "not-applied: test-momentum: it found nothing to change")
    assert table.proven


def test_two_causes_that_hold_the_run_down_together_are_found(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        both = {remedy["kind"] for remedy in spec.remedies} >= {"learning-rate", Momentum.kind}
        return learns(spec) if both else Course(2.3 + 0.01 * np.random.default_rng(spec.seed).random(spec.steps))

    rates = [Arm((LearningRate(f),), "saddle") for f in (3.0, 4.0)]
    candidates = [Arm((Momentum(2.0),), "weight-decay-too-strong"), *rates]
    table = race(tmp_path, candidates, FakeEngine(formula), causes=("weight-decay-too-strong", "saddle"))
    assert {remedy.kind for remedy in table.proven[0].arm.remedies} == {"learning-rate", Momentum.kind}
    assert not race(tmp_path / "alone", candidates, FakeEngine(formula)).proven


def test_what_treats_the_first_cause_is_confirmed_beside_a_winner_that_does_not(tmp_path: Path):
    treating = Arm((Momentum(2.5),), "unscaled-inputs")
    winner = Arm((LearningRate(4.0),), "step-too-large")
    formula = lambda spec: learns(spec) if len(spec.remedies) < 2 else tuned(spec)  # noqa: E731
    table = race(tmp_path, [treating, winner], FakeEngine(formula), causes=("unscaled-inputs",), budget_factor=30.0)
    assert {row.arm for row in table.proven} >= {treating, winner}
    table = race(tmp_path / "none", [treating, winner], FakeEngine(formula), budget_factor=30.0)
    assert row_of(table, treating).status == "dropped"


def test_where_the_winner_treats_the_cause_no_other_arm_is_confirmed(tmp_path: Path):
    winner, other = (Arm((Momentum(number),), "unscaled-inputs") for number in (4.0, 2.0))
    table = race(tmp_path, [winner, other], FakeEngine(tuned), causes=("unscaled-inputs",), budget_factor=30.0)
    assert [row.arm for row in table.proven] == [winner]
    assert sum(row.stage == "confirmation" for row in table.rows) == 1
