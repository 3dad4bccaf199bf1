"""The learning rate times a curve."""

from __future__ import annotations

import pytest
import torch
from torch.optim import lr_scheduler

from tests.remedies.training import run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.schedule import Schedule


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.5)


@pytest.mark.parametrize(
    "schedule", [Schedule("cosine"), Schedule("linear", 0.25), Schedule("cosine", 0.1), Schedule("constant", 0.2)]
)
def test_the_edits_code_gives_the_same_rates(schedule):
    total = 40
    code = schedule.edit(run_of(loss=[1.0] * total)).sentence.split(" after ")[0].removeprefix("write ")
    optimizer = sgd([torch.zeros(1, requires_grad=True)])
    names = {"torch": torch, "optimizer": optimizer}
    exec(code, names)
    for step in range(total):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * schedule.factor(step, total), abs=1e-12)
        optimizer.step()
        if step + 1 < total:
            _advance(names["scheduler"])


def _advance(scheduler):
    import warnings

    with warnings.catch_warnings():
        # SequentialLR itself calls what torch warns of.
        warnings.filterwarnings("ignore", "The epoch parameter")
        scheduler.step()


def test_it_equals_a_scheduler_in_the_program():
    schedule = Schedule("linear")
    with staged(schedule, total=8) as stage:
        treated = train(sgd)
    factors = [schedule.factor(step, 8) for step in range(9)]
    by_hand = train(sgd, schedule=lambda optimizer: lr_scheduler.LambdaLR(optimizer, factors.__getitem__))
    assert same(treated, by_hand)
    assert stage.applied == {"schedule"}


def test_it_multiplies_the_programs_own_schedule():
    def halves(optimizer):
        return lr_scheduler.ExponentialLR(optimizer, 0.5)

    with staged(Schedule("linear"), LearningRate(2.0), total=8):
        treated = train(sgd, schedule=halves)
    factors = [2 * 0.5**step * (1 - step / 8) for step in range(9)]
    assert same(treated, train(sgd, schedule=lambda o: lr_scheduler.LambdaLR(o, factors.__getitem__)))


def test_after_the_last_step_it_stays_where_it_is():
    assert Schedule("cosine").factor(120, 100) == 0.0
    assert Schedule("linear", 0.1).factor(120, 100) == 0.0
    assert Schedule("constant", 0.1).factor(120, 100) == 1.0


@pytest.mark.parametrize(
    ("schedule", "total", "why"),
    [
        (Schedule("cosine"), None, "the run's length is not known"),
        (Schedule("constant", 0.01), 8, "the run is too short for it"),
    ],
)
def test_it_says_why_it_cannot_be_done(schedule, total, why):
    with staged(schedule, total=total) as stage:
        assert same(train(sgd), train(sgd))
    assert stage.applied == set()
    assert stage.why_not == {"schedule": why}


@pytest.mark.parametrize(("shape", "warmup"), [("step", 0.0), ("cosine", 1.0), ("linear", -0.1), ("constant", 0.0)])
def test_no_other_schedules_are_made(shape, warmup):
    with pytest.raises(UsageError):
        Schedule(shape, warmup)


def test_labels_name_both_parts():
    assert Schedule("cosine").label == "cosine schedule"
    assert Schedule("cosine", 0.05).label == "warm-up over 5% of the steps and cosine schedule"
    assert Schedule("constant", 0.1).label == "warm-up over 10% of the steps"


def test_without_a_known_length_the_edit_has_names():
    sentence = Schedule("cosine", 0.1).edit(run_of(loss=[])).sentence
    assert "T_max=STEPS - WARMUP" in sentence
    assert "milestones=[WARMUP]" in sentence
