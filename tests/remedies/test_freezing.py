"""Half of a network frozen, to see what it is worth."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.remedies.training import network, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.freezing import FreezeHalf


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.9)


def zeroes(net, which):
    """Return a function that zeroes by hand."""

    def before_step(optimizer, step):
        if which == "units":
            for i in (1, 3, 5):
                net[0].weight.grad[i] = 0
                net[0].bias.grad[i] = 0
        else:
            net[0].weight.grad.zero_()
            net[0].bias.grad.zero_()

    return before_step


@pytest.mark.parametrize("which", ["units", "layers"])
def test_it_equals_gradients_that_are_zeroed_by_hand(which):
    with staged(FreezeHalf(which)) as stage:
        treated = train(sgd)
    net = network()
    assert same(treated, train(sgd, net=net, before_step=zeroes(net, which)))
    assert not same(treated, train(sgd))
    assert stage.applied == {"freezing"}


def test_units_of_transposed_convolutions_are_their_second_dimension():
    with staged(FreezeHalf("units")):
        net = nn.Sequential(nn.ConvTranspose1d(3, 4, 2), nn.ReLU(), nn.Conv1d(4, 1, 1))
        before = net[0].weight.detach().clone()
        optimizer = sgd(net.parameters())
        net(torch.randn(5, 3, 6)).sum().backward()
        optimizer.step()
    moved = (net[0].weight != before).flatten(2).any(2)
    assert not moved[:, 1::2].any()
    assert moved[:, ::2].any()


def test_of_three_layers_the_first_is_frozen():
    with staged(FreezeHalf("layers")):
        net = network(nn.Linear(6, 6))
        before = [p.detach().clone() for p in net.parameters()]
        train(sgd, net=net, steps=2)
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)]
    assert moved == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("which", "what"), [("units", "hidden linear or convolutional layer"), ("layers", "second layer")]
)
def test_a_single_layer_has_no_half(which, what):
    with staged(FreezeHalf(which)) as stage:
        train(sgd, net=nn.Linear(4, 3), steps=1)
    assert stage.why_not == {"freezing": f"no {what} is seen in a forward pass"}


def test_there_is_nothing_to_write():
    edit = FreezeHalf("units").edit(run_of())
    assert edit.sentence == (
        "nothing to write: this arm only shows what half of the units of fc1 (train.py:10) and fc2 (train.py:11) add"
    )
    assert FreezeHalf("layers").label == "the first half of the layers frozen"
    with pytest.raises(UsageError, match="there is no half 'weights'"):
        FreezeHalf("weights")
