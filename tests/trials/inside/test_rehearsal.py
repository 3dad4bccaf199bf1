"""One forward pass on the side: what it lists, and that it leaves no trace."""

from __future__ import annotations

import copy
import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.trials.inside.dry_run import run_through
from unstuck.trials.inside.rehearsal import rehearse

X = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))


def listed(network, *args):
    return [(op.kind, op.name, op.hidden) for op in rehearse(network, args or (X,), {})]


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 5)
        self.two = nn.Linear(5, 3)

    def forward(self, x):
        x = torch.sigmoid(self.one(x))
        return F.softmax(self.two(x), dim=1)


def test_layers_and_activations_come_in_order_and_the_last_is_of_the_output():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Dropout(), nn.Linear(5, 2), nn.Sigmoid())
    ops = rehearse(net, (X,), {})
    assert [(op.name, op.hidden) for op in ops] == [
        ("linear", True),
        ("tanh", True),
        ("linear", False),
        ("sigmoid", False),
    ]
    assert [op.module for op in ops] == [net[0], net[1], net[3], net[4]]
    assert ops[0].weight is net[0].weight
    assert ops[1].reads == {0}
    assert ops[2].reads == {0, 1}


def test_functions_are_known_by_their_line():
    ops = rehearse(Functional(), (X,), {})
    assert [(op.name, op.hidden) for op in ops if op.kind == "activation"] == [("sigmoid", True), ("softmax", False)]
    lines = [op.line for op in ops if op.kind == "activation"]
    assert all(file.endswith("test_rehearsal.py") for file, _ in lines)
    assert lines[1][1] == lines[0][1] + 1
    assert all(op.module is None for op in ops if op.kind == "activation")


def test_the_activation_of_one_head_is_not_hidden_because_another_head_follows():
    class Heads(Functional):
        def forward(self, x):
            return torch.tanh(self.one(x)), self.one(x)

    assert listed(Heads()) == [("layer", "linear", False), ("activation", "tanh", False), ("layer", "linear", False)]


def test_an_activation_that_is_multiplied_with_another_result_is_a_gate():
    class Gated(Functional):
        def forward(self, x):
            return self.two(self.one(x) * torch.sigmoid(self.one(x)) + torch.tanh(self.one(x)) * 0.5)

    gates = {op.name: op.gate for op in rehearse(Gated(), (X,), {}) if op.kind == "activation"}
    assert gates == {"sigmoid": True, "tanh": False}


def test_recurrent_layers_attention_norms_and_plain_parameters_are_known():
    class Everything(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 4, batch_first=True)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.norm = nn.LayerNorm(4)
            self.matrix = nn.Parameter(torch.randn(4, 2))

        def forward(self, x):
            x = self.lstm(x)[0]
            x = self.attention(x, x, x)[0]
            return torch.relu(self.norm(x)) @ self.matrix

    net = Everything()
    ops = rehearse(net, (X[None],), {})
    assert [op.name for op in ops[:4]] == ["lstm", "multi_head_attention_forward", "layer_norm", "relu"]
    assert ops[4].weight is net.matrix
    assert [op.module for op in ops] == [net.lstm, net.attention, net.norm, None, net]


def test_results_that_are_written_into_another_tensor_are_followed():
    class Writes(Functional):
        def forward(self, x):
            out = torch.zeros(len(x), 5)
            out[:] = torch.relu(self.one(x))
            return self.two(out)

    assert ("activation", "relu", True) in listed(Writes())


class Leaves(nn.Module):
    """Leaves all the traces that a network can leave."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 1))
        self.calls = 0
        self.state = torch.zeros(1)

    def forward(self, x, fails=False):
        self.calls += 1
        self.state = self.state + 1
        self.later = random.random()
        x.mul_(2)
        result = self.net(x)
        print("a forward pass")
        if fails:
            raise RuntimeError("no")
        return result


@pytest.mark.parametrize("fails", [False, True])
def test_it_leaves_no_trace(capsys, fails):
    net, given = Leaves(), X.clone()
    before = copy.deepcopy(net.state_dict())
    state, torch_state, python_state = net.state, torch.get_rng_state(), random.getstate()
    assert bool(rehearse(net, (given,), {"fails": fails})) is not fails
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert (net.calls, net.state) == (0, state)
    assert not hasattr(net, "later")
    assert torch.equal(given, X)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert capsys.readouterr().out == ""
    assert not net.net[0]._forward_hooks
    assert net(given).requires_grad


def test_a_network_whose_weights_are_not_made_yet_is_not_run():
    net = nn.Sequential(nn.LazyLinear(3))
    assert rehearse(net, (X,), {}) == []
    assert isinstance(net[0], nn.LazyLinear)


def test_it_says_whether_the_network_ran():
    assert run_through(nn.Linear(4, 1), (X,), {})
    assert not run_through(nn.Linear(3, 1), (X,), {})
