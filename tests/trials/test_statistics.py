"""Speed-ups and their intervals: an interval that says 95 % is right in 95 of 100 cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unstuck.trials.arrival import baseline_time
from unstuck.trials.curve import Curve
from unstuck.trials.objective import objective_of, time_to
from unstuck.trials.statistics import Interval, difference, mean_interval, speedup, student


def test_equal_ratios_leave_no_doubt():
    found = speedup([100, 200, 300], [50, 100, 150])
    assert found.estimate == pytest.approx(2)
    assert (found.low, found.high) == pytest.approx((2, 2))
    assert found.is_above()


def test_the_mean_is_taken_over_ratios_of_pairs():
    found = speedup([100, 1000], [50, 2000])
    assert found.estimate == pytest.approx(1)
    assert not found.is_above()


def test_student_is_wide_for_three_pairs():
    found = speedup([100, 100, 100], [50, 40, 60])
    logs = np.log([2, 2.5, 100 / 60])
    error = logs.std(ddof=1) / math.sqrt(3)
    assert found.low == pytest.approx(math.exp(logs.mean() - 4.3027 * error))
    assert found.high == pytest.approx(math.exp(logs.mean() + 4.3027 * error))


def test_a_speed_up_that_is_not_worth_the_change_is_not_proven():
    assert not speedup([105, 105, 105], [100, 100, 100]).is_above()
    assert speedup([115, 115, 115], [100, 100, 100]).is_above()
    assert not speedup([115, 115, 115], [100, 100, 100]).is_above(1.5)


def test_an_arm_that_misses_the_target_once_has_speed_up_zero():
    found = speedup([100, 100, 100], [1, 1, math.inf])
    assert (found.estimate, found.low, found.high) == (0, 0, 100)
    assert not found.is_above()


def test_a_single_pair_has_no_interval():
    found = speedup([100], [10])
    assert found.estimate == pytest.approx(10)
    assert math.isnan(found.low)
    assert not found.is_above()
    assert math.isnan(speedup([], []).estimate)


def test_a_difference_is_arm_minus_baseline():
    found = difference([1.0, 2.0, 3.0], [0.5, 1.5, 2.5])
    assert found == Interval(-0.5, -0.5, -0.5, 3)
    assert math.isnan(difference([1.0, math.inf], [0.5, 0.5]).estimate)


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062), (2, 4.3027), (9, 2.2622), (20, 2.0860), (60, 2.0003)])
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float):
    assert student(freedom) == pytest.approx(quantile, abs=2e-4)


@pytest.mark.parametrize("pairs", [3, 8])
def test_the_interval_covers_the_truth(pairs: int):
    random = np.random.default_rng(1)
    samples = random.standard_normal((400, pairs)) * 0.3 + 0.5
    intervals = [mean_interval(values) for values in samples]
    covered = np.mean([low <= 0.5 <= high for _, low, high in intervals])
    assert 0.92 <= covered <= 0.985


def ar1(random: np.random.Generator, count: int, memory: float) -> np.ndarray:
    """Return noise of variance 1 that forgets a share of itself at every step."""
    fresh = random.standard_normal(count) * math.sqrt(1 - memory**2)
    values = np.empty(count)
    last = random.standard_normal()
    for i, value in enumerate(fresh):
        last = memory * last + value
        values[i] = last
    return values


def simulated(
    random: np.random.Generator,
    shared: np.random.Generator,
    steps: int,
    memory: float,
    size: float,
    speed: float = 1.0,
) -> Curve:
    """Return a training with noise like that of real ones: a rate and an end of its own, and steps that hang together.

    Half of the spread comes with the seed, which both arms of a pair share.
    """
    rate = speed * math.exp(0.25 * shared.standard_normal() + 0.25 * random.standard_normal()) * 5 / steps
    end = 0.5 + 0.02 * shared.standard_normal() + 0.02 * random.standard_normal()
    t = np.arange(steps)
    loss = end + 1.8 * np.exp(-rate * t) + size * ar1(random, steps, memory)
    return Curve(t + 1.0, 0.01 * t, loss)


@pytest.mark.parametrize(("memory", "size"), [(0.0, 0.1), (0.9, 0.05), (0.9, 0.3)])
@pytest.mark.parametrize("pairs", [3, 6])
def test_equal_arms_are_seldom_called_different(memory: float, size: float, pairs: int):
    random = np.random.default_rng(7)
    proven = 0
    for race in range(200):
        trials = [
            [simulated(random, np.random.default_rng((race, seed)), 300, memory, size) for _ in range(2)]
            for seed in range(pairs)
        ]
        objective = objective_of([base for base, _ in trials])
        assert objective is not None
        bases = [baseline_time(base, objective)[0] for base, _ in trials]
        arms = [time_to(arm, objective.target, objective.window)[0] for _, arm in trials]
        proven += speedup(bases, arms).is_above()
    assert proven <= 14


def test_a_real_speed_up_is_proven_nearly_always():
    random = np.random.default_rng(3)
    proven = 0
    for race in range(50):
        shared = [[np.random.default_rng((race, seed)) for _ in range(2)] for seed in range(3)]
        bases = [simulated(random, same, 400, 0.9, 0.05) for same, _ in shared]
        arms = [simulated(random, same, 400, 0.9, 0.05, speed=6) for _, same in shared]
        objective = objective_of(bases)
        assert objective is not None
        times = [time_to(arm, objective.target, objective.window)[0] for arm in arms]
        proven += speedup([baseline_time(base, objective)[0] for base in bases], times).is_above()
    assert proven >= 45
