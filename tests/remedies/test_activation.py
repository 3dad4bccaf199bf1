"""Hidden activations exchanged, as modules and as functions."""

from __future__ import annotations

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.difficulties.records import stack
from tests.remedies.training import network, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.activation import Activation
from unstuck.remedies.initialisation import Initialise


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5)


class Net(nn.Module):
    """Two layers, and what is between and behind them."""

    def __init__(self, between, behind=lambda x: x):
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = nn.Linear(4, 6), nn.Linear(6, 3)
        self.between, self.behind = between, behind

    def forward(self, x):
        return self.behind(self.two(self.between(self.one(x))))


def test_modules_become_the_other_function_and_those_of_the_outputs_stay():
    def net(activation):
        return Net(activation, nn.Sigmoid())

    with staged(Activation("relu")) as stage:
        treated = train(sgd, net=net(nn.Sigmoid()))
    assert same(treated, train(sgd, net=net(nn.ReLU())))
    assert not same(treated, train(sgd, net=net(nn.Sigmoid())))
    assert stage.applied == {"activation"}


FUNCTIONS = {
    "torch": lambda x: torch.sigmoid(x),
    "functional": lambda x: F.sigmoid(x),
    "method": lambda x: x.sigmoid(),
    "in place": lambda x: x.sigmoid_(),
    "in place by option": lambda x: F.relu(x, inplace=True),
}


@pytest.mark.parametrize("between", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_become_the_other_function(between):
    with staged(Activation("gelu")) as stage:
        treated = train(sgd, net=Net(between))
    assert same(treated, train(sgd, net=Net(F.gelu)))
    assert stage.applied == {"activation"}


def test_a_function_that_was_imported_by_name_is_exchanged_too():
    with staged(Activation("tanh")):
        from torch import relu

        treated = train(sgd, net=Net(lambda x: relu(x)))
    assert same(treated, train(sgd, net=Net(torch.tanh)))


def test_calls_of_the_same_line_are_told_apart_by_their_turn():
    class Loop(Net):
        def forward(self, x):
            for layer in (self.one, self.two):
                x = torch.sigmoid(layer(x))
            return x

    with staged(Activation("relu")):
        treated = train(sgd, net=Loop(None))
    assert same(treated, train(sgd, net=Net(torch.relu, torch.sigmoid)))


def test_so_are_calls_of_the_same_module():
    def net():
        shared = nn.Sigmoid()
        return Net(shared, shared)

    with staged(Activation("relu")):
        treated = train(sgd, net=net())
    assert same(treated, train(sgd, net=Net(torch.relu, torch.sigmoid)))


def test_a_copy_has_the_other_activation_too_and_a_network_can_be_saved():
    with staged(Activation("relu")):
        net = network()
        net(torch.ones(1, 4))
        twin = copy.deepcopy(net)
        file = io.BytesIO()
        torch.save(net, file)
        file.seek(0)
        restored = torch.load(file, weights_only=False)
        assert torch.equal(twin(torch.ones(1, 4)), net(torch.ones(1, 4)))
        assert torch.equal(restored(torch.ones(1, 4)), net(torch.ones(1, 4)))
        assert torch.equal(net(torch.ones(1, 4)), net[2](torch.relu(net[0](torch.ones(1, 4)))))


def test_gates_stay():
    def gated(x):
        return x * torch.sigmoid(x)

    with staged(Activation("relu")) as stage:
        treated = train(sgd, net=Net(gated))
    assert same(treated, train(sgd, net=Net(gated)))
    assert stage.applied == set()
    assert stage.why_not == {"activation": "no hidden activation other than relu is seen in a forward pass"}


def test_torch_is_as_it_was_afterwards():
    before = torch.sigmoid, F.relu, torch.Tensor.tanh
    with staged(Activation("gelu")):
        assert torch.sigmoid is not before[0]
    assert (torch.sigmoid, F.relu, torch.Tensor.tanh) == before
    assert "tanh" not in vars(torch.Tensor)


def test_the_edit_names_the_layers():
    edit = Activation("relu").edit(run_of(layers=stack(4, activation="sigmoid")))
    assert edit.sentence == (
        "write nn.ReLU() or F.relu for sigmoid after fc1 (train.py:10), fc2 (train.py:11) and fc3 (train.py:12)"
    )
    assert (edit.file, edit.line) == ("train.py", 10)
    assert Activation("relu").label == "activation relu"


def test_there_is_no_other_activation():
    with pytest.raises(UsageError, match="there is no activation 'softmax'"):
        Activation("softmax")


def test_it_goes_together_with_an_initialisation():
    with staged(Activation("relu"), Initialise("he")) as stage:
        treated = train(sgd, net=Net(nn.Tanh()))
    with staged(Initialise("he")):
        expected = train(sgd, net=Net(nn.ReLU()))
    assert same(treated, expected)
    assert stage.applied == {"activation", "initialisation"}
