"""The learning rate of the best arm is followed as far as that pays, and no further."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.trials.fake import Course, FakeEngine, Momentum, learns, rate, row_of, settings, tuned
from unstuck.remedies.learning_rate import LearningRate
from unstuck.trials.arm import Arm
from unstuck.trials.race import run_race
from unstuck.trials.spec import Spec


def best_at(spec: Spec, best: float) -> Course:
    """Return a loss that falls the faster the nearer the learning rate is to the best one, in decades."""
    factor = float(np.prod([remedy.get("factor", 1.0) for remedy in spec.remedies]))
    speed = 8.0 * 10 ** -abs(np.log10(factor / best))
    return learns(dataclasses.replace(spec, remedies=({"kind": "test-momentum", "number": speed},)))


@pytest.mark.parametrize(("best", "near"), [(3e4, (1e4, 1e5)), (30.0, (30.0, 30.0)), (3e-4, (1e-4, 1e-3))])
def test_a_rate_far_from_the_ladder_is_found(tmp_path: Path, best: float, near: tuple[float, float]):
    ladder = [rate(f) for f in ((10.0, 100.0, 1000.0) if best > 1 else (0.1, 0.01))]
    table = run_race(settings(tmp_path, budget_factor=20.0), ladder, FakeEngine(lambda spec: best_at(spec, best)))
    (remedy,) = table.proven[0].arm.remedies
    assert isinstance(remedy, LearningRate)
    assert near[0] * 0.99 <= remedy.factor <= near[1] * 1.01


def test_no_rate_is_tried_twice_and_those_that_are_no_better_are_said_to_be(tmp_path: Path):
    engine = FakeEngine(lambda spec: best_at(spec, 30.0))
    table = run_race(settings(tmp_path, budget_factor=20.0), [rate(10.0), rate(100.0)], engine)
    assert len(engine.ran) == len(set(engine.ran))
    climbed = [row for row in table.rows if row.combination]
    assert {row.stage for row in climbed if row.status == "dropped"} == {"learning rate"}
    assert all("not clearly better than learning rate x 30" in row.reason for row in climbed if row.status == "dropped")


def test_nothing_is_climbed_where_nothing_is_better(tmp_path: Path):
    engine = FakeEngine(tuned)
    table = run_race(settings(tmp_path), [rate(3.0), rate(1 / 3)], engine)
    assert not any(row.combination for row in table.rows)
    assert not table.proven


def test_a_remedy_that_is_no_rate_gets_the_best_one_with_it(tmp_path: Path):
    def formula(spec: Spec) -> Course:
        """Return a loss that falls faster with momentum, and with it only at a larger rate as well."""
        factor = float(np.prod([remedy.get("factor", 1.0) for remedy in spec.remedies]))
        steady = any(remedy["kind"] == Momentum.kind for remedy in spec.remedies)
        speed = (3.0 if steady else 1.0) * (factor if factor <= (10.0 if steady else 1.0) else 0.1)
        return learns(dataclasses.replace(spec, remedies=({"kind": Momentum.kind, "number": speed},)))

    table = run_race(settings(tmp_path), [Arm((Momentum(1.0),)), rate(3.0)], FakeEngine(formula))
    assert row_of(table, rate(3.0)).status == "dropped"
    assert table.proven[0].arm == Arm((Momentum(1.0), LearningRate(10.0)))
