"""The learning rate times a factor."""

from __future__ import annotations

import pytest
import torch

from tests.remedies.training import network, run_of, same, staged, train
from unstuck.remedies import from_json
from unstuck.remedies.learning_rate import LearningRate


@pytest.mark.parametrize("algorithm", [torch.optim.SGD, torch.optim.Adam])
def test_it_equals_training_with_the_larger_rate(algorithm):
    with staged(LearningRate(8.0)):
        treated = train(lambda ps: algorithm(ps, lr=0.0625))
    assert same(treated, train(lambda ps: algorithm(ps, lr=0.5)))
    assert not same(treated, train(lambda ps: algorithm(ps, lr=0.0625)))


def test_schedules_keep_their_shape_and_see_their_own_rate():
    def cosine(optimizer):
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)

    with staged(LearningRate(4.0)):
        treated = train(lambda ps: torch.optim.SGD(ps, lr=0.125), schedule=cosine)
    assert same(treated, train(lambda ps: torch.optim.SGD(ps, lr=0.5), schedule=cosine))


def test_the_program_finds_its_own_rate_again():
    with staged(LearningRate(10.0)):
        net = network()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        net(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        assert optimizer.param_groups[0]["lr"] == 0.1


def test_labels_say_times_and_divided():
    assert LearningRate(10.0).label == "learning rate x 10"
    assert LearningRate(1 / 3).label == "learning rate / 3"


def test_it_comes_back_from_its_json():
    remedy = LearningRate(3.0)
    assert from_json(remedy.to_json()) == remedy


def test_the_edit_names_the_new_rate(tmp_path):
    run = run_of("optimizer = SGD(model.parameters(), lr=0.1)\n", tmp_path)
    edit = LearningRate(10.0).edit(run)
    assert edit.sentence == "write lr=1 at train.py:1 (it is 0.1)"
    assert "+optimizer = SGD(model.parameters(), lr=1)" in edit.diff.splitlines()
