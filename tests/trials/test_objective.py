"""The target that arms are to reach, and the time until a curve is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from unstuck.trials.arrival import baseline_time
from unstuck.trials.curve import Curve
from unstuck.trials.objective import final_levels, gain, least_gain, objective_of, time_to
from unstuck.trials.smoothing import noise_of, smooth, window_of


def curve(loss: ArrayLike, per_step: float = 0.1, error: np.ndarray | None = None) -> Curve:
    values = np.asarray(loss, dtype=float)
    t = np.arange(len(values))
    return Curve(t + 1.0, per_step * t, values, error)


def falling(steps: int = 500, tau: float = 100.0, start: float = 2.0, end: float = 0.5, noise: float = 0.0) -> Curve:
    t = np.arange(steps)
    wiggle = np.random.default_rng(0).standard_normal(steps)
    return curve(end + (start - end) * np.exp(-t / tau) + noise * wiggle)


def flat(level: float = 2.3, steps: int = 300, noise: float = 0.0) -> Curve:
    return curve(level + noise * np.random.default_rng(1).standard_normal(steps))


def test_the_window_is_a_fiftieth_of_the_baseline_and_odd():
    assert window_of(flat(steps=1000)) == 21
    assert window_of(flat(steps=30)) == 5
    assert window_of(flat(steps=4)) == 3
    assert window_of(flat(steps=1)) == 1


def test_running_medians_are_those_of_every_window():
    values = np.random.default_rng(0).standard_normal(60)
    smoothed = smooth(curve(values), 7)
    assert smoothed.values == pytest.approx([np.median(values[i : i + 7]) for i in range(54)])
    assert smoothed.steps[0] == 4
    assert smoothed.steps[-1] == 57


def test_long_curves_are_smoothed_at_fewer_places_but_to_their_end():
    values = np.arange(100_000.0)
    smoothed = smooth(curve(values), 2001)
    assert len(smoothed.values) < 1000
    assert smoothed.values[-1] == 100_000 - 1001


def test_noise_is_that_of_the_smoothed_curve_and_no_trend():
    assert noise_of(smooth(curve(np.linspace(2, 1, 500)), 11)) == pytest.approx(0, abs=1e-12)
    white = curve(np.random.default_rng(0).standard_normal(20_000))
    expected = 1.2533 / math.sqrt(401)  # the standard error of a median
    assert noise_of(smooth(white, 401)) == pytest.approx(expected, rel=0.25)


def test_a_baseline_that_learns_sets_the_target_at_its_last_twentieth():
    objective = objective_of([falling()])
    assert objective is not None
    assert not objective.stuck
    assert objective.target == pytest.approx(objective.end + 0.05 * (objective.start - objective.end))
    steps, seconds, censored = baseline_time(falling(), objective)
    assert steps == pytest.approx(-100 * math.log(0.05), abs=25)
    assert seconds == pytest.approx(0.1 * (steps - 1))
    assert not censored


def test_a_faster_arm_is_at_the_target_sooner_by_its_factor():
    objective = objective_of([falling()])
    assert objective is not None
    slow, _, _ = baseline_time(falling(), objective)
    fast, _ = time_to(falling(tau=25), objective.target, objective.window)
    assert slow / fast == pytest.approx(4, rel=0.05)


def test_of_several_baselines_the_median_counts():
    objective = objective_of([falling(), falling(end=0.6), falling(end=1.9)])
    assert objective is not None
    assert objective.end == pytest.approx(0.6, abs=0.02)


def test_a_stuck_baseline_sets_the_target_below_all_that_it_reaches():
    objective = objective_of([flat(noise=0.02)])
    assert objective is not None
    assert objective.stuck
    assert objective.target == pytest.approx(0.9 * 2.3, rel=0.02)
    assert baseline_time(flat(noise=0.02), objective) == (300, pytest.approx(29.9), True)
    assert time_to(falling(), objective.target, objective.window)[0] < 50


def test_noise_of_a_stuck_baseline_keeps_the_target_away():
    quiet, loud = objective_of([flat(noise=0.02)]), objective_of([flat(noise=0.9)])
    assert quiet is not None
    assert loud is not None
    assert loud.stuck
    assert loud.target < quiet.target - 0.3


def test_a_baseline_that_leaps_about_leaves_room_above_zero():
    leaps = np.abs(np.random.default_rng(0).standard_normal(300)) * 300 + 1
    objective = objective_of([curve(leaps)])
    assert objective is not None
    assert objective.stuck
    assert 0 < objective.target < leaps.max() / 2
    assert math.isfinite(time_to(falling(), objective.target, objective.window)[0])


def test_a_baseline_that_gets_worse_is_not_beaten_by_waiting():
    rising = curve(np.linspace(2.3, 4.0, 300))
    objective = objective_of([rising])
    assert objective is not None
    assert objective.stuck
    assert time_to(flat(2.3), objective.target, objective.window) == (math.inf, math.inf)


def test_a_baseline_that_is_lost_is_stuck_above_what_it_reached():
    lost = falling(200)
    lost.loss[50:] = np.inf
    objective = objective_of([lost])
    assert objective is not None
    assert objective.stuck
    assert math.isfinite(objective.target)
    assert not math.isfinite(time_to(lost, objective.target, objective.window)[0])
    assert math.isfinite(time_to(falling(400), objective.target, objective.window)[0])


def test_a_baseline_that_explodes_within_its_first_window_is_held_to_its_first_loss():
    objective = objective_of([curve([2.3, 50, *[1e9] * 198]), curve([2.3, 50, 1e6, *[np.inf] * 197])])
    assert objective is not None
    assert objective.target == pytest.approx(0.9 * 2.3)


def test_a_baseline_without_a_single_loss_is_beaten_by_any():
    objective = objective_of([curve(np.full(200, np.inf))])
    assert objective is not None
    assert math.isfinite(time_to(flat(), objective.target, objective.window)[0])


def test_losses_below_zero_are_compared_by_differences_alone():
    objective = objective_of([curve(falling(noise=0.001).loss - 100)])
    assert objective is not None
    assert not objective.stuck  # 1.5 of 98 is no 5 %, but it is far more than the noise
    still = objective_of([curve(flat(noise=0.01).loss - 100)])
    assert still is not None
    assert still.stuck
    assert -97.8 < still.target < -97.7


def test_one_spike_is_no_arrival():
    values = np.full(300, 2.3)
    values[100] = 0.0
    assert time_to(curve(values), 1.0, 5) == (math.inf, math.inf)


def test_nothing_noted_is_nothing_to_compare_by():
    assert objective_of([curve(np.full(50, np.nan))]) is None
    assert objective_of([flat()], "error") is None
    assert objective_of([]) is None


def test_errors_are_compared_where_they_were_noted():
    noted = np.where(np.arange(300) % 2 == 0, 0.5, np.nan)
    objective = objective_of([curve(flat().loss, error=noted)], "error")
    assert objective is not None
    assert objective.end == 0.5


def test_the_gain_is_a_share_of_the_baselines_level():
    assert gain(flat(2.0), flat(0.5), "loss") == pytest.approx(0.75)
    assert gain(flat(2.0), flat(2.0), "loss") == 0
    assert gain(flat(2.0), flat(3.0), "loss") == pytest.approx(-0.5)


def test_a_lost_arm_gains_nothing_and_any_arm_gains_on_a_lost_baseline():
    lost = curve(np.full(300, np.inf))
    assert gain(flat(), lost, "loss") == -math.inf
    assert gain(lost, flat(2.0), "loss") > gain(lost, flat(3.0), "loss") > 0


def test_how_far_up_a_baseline_is_lost_says_nothing_of_an_arm():
    flying, lost = curve(np.geomspace(2.0, 1e9, 300)), curve([2.0, 9.0, *[np.inf] * 298])
    for baseline in (flying, lost):
        assert gain(baseline, flat(0.4), "loss") == pytest.approx(1 - 0.4 / 4.0)
        assert gain(baseline, flat(0.2), "loss") == pytest.approx(1 - 0.2 / 4.0)
        assert gain(baseline, flat(40.0), "loss") < 0
    assert least_gain(curve(np.abs(np.random.default_rng(0).standard_normal(300)) * 300), "loss") <= 0.5


def test_a_level_beyond_what_is_reached_can_be_asked_for():
    usual, beyond = objective_of([falling()]), objective_of([falling()], beyond=True)
    assert usual is not None
    assert beyond is not None
    assert beyond.stuck
    assert beyond.target < beyond.end < usual.target


def test_arms_of_unequal_length_are_compared_where_both_are():
    assert gain(falling(500), falling(100), "loss") == pytest.approx(0, abs=1e-9)


def test_steps_of_another_kind_are_compared_after_the_same_time():
    quick = curve(falling(500).loss, per_step=0.025)  # a quarter of the time, the same progress per step
    assert gain(falling(500), quick, "loss") == pytest.approx(0, abs=1e-9)
    assert gain(falling(500), quick, "loss", by_time=True) > 0.4
    objective = objective_of([falling(500)])
    assert objective is not None
    base, arm = final_levels(falling(500), quick, objective, by_time=True)
    assert base > 1.5 * arm
