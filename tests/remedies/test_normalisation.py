"""Normalisations between hidden layers and their activations."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.remedies.training import batch, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.normalisation import Normalise


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.9)


def mlp(norm=None):
    torch.manual_seed(0)
    first, last = nn.Linear(4, 6), nn.Linear(6, 3)
    return nn.Sequential(first, *([norm] if norm else []), nn.Tanh(), last)


class Images(nn.Sequential):
    def forward(self, x):
        return super().forward(x.view(-1, 1, 2, 2))


def conv(norm=None):
    torch.manual_seed(0)
    first, last = nn.Conv2d(1, 6, 2), nn.Linear(6, 3)
    return Images(first, *([norm] if norm else []), nn.ReLU(), nn.Flatten(), last)


CASES = [
    (mlp, "batch", nn.BatchNorm1d(6)),
    (mlp, "layer", nn.LayerNorm(6)),
    (conv, "batch", nn.BatchNorm2d(6)),
    (conv, "layer", nn.GroupNorm(1, 6)),
]


@pytest.mark.parametrize(("make", "kind", "norm"), CASES)
def test_it_equals_the_normalisation_written_into_the_network(make, kind, norm):
    with staged(Normalise(kind)) as stage:
        net = make()
        treated = train(sgd, net=net)
    assert stage.applied == {"normalisation"}
    by_hand = make(norm)
    assert same(treated, train(sgd, net=by_hand))
    net.eval()
    by_hand.eval()
    inputs = batch(99)[0]
    assert torch.equal(net(inputs), by_hand(inputs))


def test_every_position_of_a_sequence_counts_as_an_example():
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    with staged(Normalise("batch")):
        result = net(batch(0)[0].view(2, 5, 4))
        flat = net(batch(0)[0])
    assert result.shape == (2, 5, 3)
    assert torch.allclose(result.flatten(0, 1), flat)


def test_it_is_saved_with_the_network():
    with staged(Normalise("batch")):
        net = mlp()
        net(batch(0)[0])
    assert {"0.unstuck_norm.weight", "0.unstuck_norm.running_mean"} <= net.state_dict().keys()


def test_a_layer_that_is_normalised_already_is_left_alone():
    with staged(Normalise("layer")) as stage:
        treated = train(sgd, net=mlp(nn.BatchNorm1d(6)))
    assert same(treated, train(sgd, net=mlp(nn.BatchNorm1d(6))))
    assert stage.why_not == {"normalisation": "no hidden layer is seen that is not normalised yet"}


def test_it_is_taken_out_again_where_the_network_does_not_run_with_it():
    with staged(Normalise("batch")) as stage:
        net = mlp()
        net(torch.ones(1, 4))  # a batch of one has no deviation
    assert stage.applied == set()
    assert stage.why_not == {"normalisation": "the network does not run with it"}
    assert len(net.state_dict()) == 4
    assert not net[0]._forward_hooks


def test_an_optimizer_that_has_made_its_state_gets_no_further_parameters():
    with staged(Normalise("batch")) as stage:
        net = mlp()
        optimizer = torch.optim.Adagrad(net.parameters())
        net(batch(0)[0])
    assert stage.why_not == {"normalisation": "an optimizer has begun before the first forward pass"}
    assert len(optimizer.param_groups[0]["params"]) == len(list(net.parameters())) == 4


def test_a_layer_that_is_called_several_times_gets_no_statistics_of_a_batch():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.last = nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.last(torch.tanh(self.cell(torch.tanh(self.cell(x)))))

    for kind, treated in (("batch", set()), ("layer", {"normalisation"})):
        with staged(Normalise(kind)) as stage:
            Twice()(batch(0)[0])
        assert stage.applied == treated


def test_the_edit_names_the_layers():
    edit = Normalise("batch").edit(run_of())
    assert edit.sentence == (
        "put nn.BatchNorm1d(units) between fc1 (train.py:10) and fc2 (train.py:11) and the activation"
    )
    assert Normalise("layer").label == "layer normalisation"
    with pytest.raises(UsageError, match="there is no normalisation 'group'"):
        Normalise("group")
