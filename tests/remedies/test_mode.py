"""Networks that are trained in evaluation mode."""

from __future__ import annotations

import torch
from torch import nn

from tests.difficulties.records import STEP
from tests.remedies.training import network, run_of, same, staged, train
from unstuck.remedies.mode import TrainMode


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5)


def test_it_equals_a_network_in_training_mode():
    with staged(TrainMode()) as stage:
        treated = train(sgd, net=network(nn.BatchNorm1d(6)).eval())
    assert same(treated, train(sgd, net=network(nn.BatchNorm1d(6))))
    assert not same(treated, train(sgd, net=network(nn.BatchNorm1d(6)).eval()))
    assert stage.applied == {"train-mode"}


def test_evaluations_stay_in_evaluation_mode():
    with staged(TrainMode()):
        net = network(nn.BatchNorm1d(6)).eval()
        train(sgd, net=net, steps=2)
        seen = net[2].num_batches_tracked.item()
        with torch.no_grad():
            net(torch.ones(2, 4))
            assert not net[2].training
        assert net[2].num_batches_tracked.item() == seen == 2
        train(sgd, net=net, steps=1)
        assert net[2].num_batches_tracked.item() == 3


def test_a_network_that_was_never_put_back_after_an_evaluation_is():
    with staged(TrainMode()) as stage:
        net = network(nn.Dropout(0.5))
        train(sgd, net=net, steps=1)
        assert stage.applied == {"train-mode"}
        net.eval()
        train(sgd, net=net, steps=1)
        assert net.training


def test_a_program_that_evaluates_in_training_mode_is_left_alone():
    with staged(TrainMode()):
        net = network(nn.BatchNorm1d(6))
        train(sgd, net=net, steps=1)
        with torch.no_grad():
            net(torch.ones(2, 4))
        assert net.training


def test_layers_that_are_kept_in_evaluation_mode_stay_so():
    with staged(TrainMode()):
        net = network(nn.BatchNorm1d(6))
        net[2].eval()
        train(sgd, net=net, steps=2)
        assert not net[2].training


def test_layers_that_do_not_mind_are_no_change():
    with staged(TrainMode()) as stage:
        train(sgd, net=network())
    assert stage.applied == set()
    assert "train-mode" in stage.why_not


def test_recurrent_layers_mind_their_dropout():
    class Recurrent(nn.Module):
        def __init__(self, dropout):
            super().__init__()
            self.cells, self.head = nn.LSTM(4, 6, num_layers=2, dropout=dropout), nn.Linear(6, 3)

        def forward(self, x):
            return self.head(self.cells(x)[0])

    for dropout, applied in ((0.5, {"train-mode"}), (0.0, set())):
        with staged(TrainMode()) as stage:
            train(sgd, net=Recurrent(dropout), steps=1)
        assert stage.applied == applied


def test_the_edit_is_at_the_step():
    edit = TrainMode().edit(run_of())
    assert edit.sentence == (
        f"write model.train() at the start of every epoch, before the forward pass of the step at train.py:{STEP}"
    )
    assert TrainMode().label == "training mode while training"
