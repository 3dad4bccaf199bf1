"""Metrics as curves: what is better is lower, and a value counts from the step that it was printed after."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.trials.arrival import at_first_value, baseline_time, time_share
from unstuck.trials.curve import Curve
from unstuck.trials.metric import Metric, metric_of, shown
from unstuck.trials.objective import objective_of, time_to

ACCURACY = Metric("acc", higher=True, whole=1.0, target=0.8, every=10.0)


def curve(*accuracies: float, every: int = 10) -> Curve:
    """Return a curve of a program whose steps take half a second."""
    count = every * len(accuracies)
    steps = np.arange(1.0, count + 1)
    printed = np.arange(every, count + 1.0, every)
    return Curve(steps, 0.5 * (steps - 1), np.ones(count), None, {"acc": (printed, np.array(accuracies))})


@pytest.mark.parametrize(
    ("name", "values", "whole"),
    [
        ("val accuracy", (0.1, 0.9), 1.0),
        ("acc5", (12.0, 71.3), 100.0),
        ("psnr", (12.0, 31.0), None),
        ("return", (-3.0, 0.5), None),
        ("val loss", (0.1, 0.9), None),
    ],
)
def test_of_a_share_the_rest_is_compared(name: str, values: tuple[float, ...], whole: float | None):
    metric = metric_of(name, np.array(values))
    assert metric is not None
    assert metric.whole == whole
    costs = metric.cost(np.array(values))
    assert (costs[1] < costs[0]) is np.bool_(metric.higher)
    assert [metric.shown(cost) for cost in costs] == pytest.approx(values)
    assert shown("loss", 0.3) == 0.3


def test_a_name_that_does_not_tell_is_no_metric_unless_it_is_said():
    assert metric_of("temperature", np.array([1.0])) is None
    assert metric_of("temperature", np.array([1.0]), higher=False) == Metric("temperature", higher=False)


def test_what_is_not_finite_is_lost():
    assert ACCURACY.cost(np.array([0.9, np.nan])) == pytest.approx([0.1, np.inf])


def test_of_values_after_one_step_the_last_counts_and_those_before_the_first_do_not():
    found = curve(0.5, 0.6)
    found.metrics["acc"] = (np.array([0.0, 10.0, 10.0, 20.0]), np.array([0.1, 0.4, 0.5, 0.6]))  # type: ignore[index]
    steps, seconds, costs = found.of(ACCURACY)
    assert steps.tolist() == [10, 20]
    assert seconds.tolist() == [4.5, 9.5]
    assert costs == pytest.approx([0.5, 0.4])


def test_the_baseline_takes_at_least_until_the_value_before():
    base, arm = curve(0.3, 0.5, 0.6, 0.7, 0.82, 0.85, 0.86), curve(0.6, 0.81, 0.85, 0.85, 0.85, 0.85, 0.85)
    objective = objective_of([base], ACCURACY)
    assert objective is not None
    assert not objective.stuck
    assert baseline_time(base, objective) == (40, 19.5, False)
    assert time_to(arm, objective.target, objective.window, ACCURACY) == (20, 9.5)
    assert time_share(base, arm, ACCURACY) == 20 / 70
    assert not at_first_value(arm, objective)
    assert at_first_value(curve(0.9, 0.9, 0.9), objective)


def test_a_single_good_value_is_no_arrival():
    base = curve(0.3, 0.5, 0.85, 0.5, 0.6, 0.7, 0.7)
    objective = objective_of([base], ACCURACY)
    assert objective is not None
    assert objective.stuck
    assert baseline_time(base, objective) == (60, 29.5, True)  # what is known of it ends with the last full window
