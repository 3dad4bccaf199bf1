"""Parameters that no optimizer has, and those that are frozen."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from tests.remedies.training import network, run_of, same, staged, train
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.unfreeze import Unfreeze


def whole(parameters):
    return torch.optim.SGD(parameters, 0.25, momentum=0.5)


def head(parameters):
    return whole([p for p in parameters[2:] if p.requires_grad])


def cosine(optimizer):
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)


def frozen():
    net = network()
    net[0].requires_grad_(False)
    return net


def test_it_equals_an_optimizer_with_all_parameters():
    with staged(TrainAll()) as stage:
        treated = train(head, schedule=cosine)
    assert same(treated, train(whole, schedule=cosine))
    assert not same(treated, train(head, schedule=cosine))
    assert stage.applied == {"parameters"}


def test_layers_in_a_plain_list_are_found():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.hidden = [nn.Linear(4, 6)]
            self.head = nn.Linear(6, 3)

        def forward(self, x):
            return self.head(self.hidden[0](x).tanh())

    def weights(*remedies):
        with staged(*remedies):
            net = Net()
            train(whole, net=net)
        return net.hidden[0].weight

    assert not torch.equal(weights(TrainAll()), weights())
    assert torch.equal(weights(), Net().hidden[0].weight)


def test_copies_of_networks_are_found():
    original = network()
    with staged(TrainAll()) as stage:
        treated = train(head, net=copy.deepcopy(original))
    assert stage.applied == {"parameters"}
    assert same(treated, train(whole))


def test_with_a_closure_they_are_added_before_the_second_step():
    with staged(TrainAll()) as stage:
        treated = train(head, closure=True, steps=1)
        assert stage.applied == set()
    assert torch.equal(treated[0], network()[0].weight)
    with staged(TrainAll()) as stage:
        treated = train(head, closure=True)
    assert stage.applied == {"parameters"}
    assert not torch.equal(treated[0], network()[0].weight)


def test_scaled_gradients_are_unscaled_for_those_that_are_added_too():
    def scaled(make):
        net = network()
        optimizer, scaler = make(list(net.parameters())), torch.amp.GradScaler("cpu", init_scale=256.0)
        for _ in range(3):
            optimizer.zero_grad()
            scaler.scale(net(torch.ones(2, 4)).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        return [p.detach() for p in net.parameters()]

    with staged(TrainAll()):
        treated = scaled(head)
    assert same(treated, scaled(whole))


def test_only_what_gets_a_gradient_and_is_in_no_optimizer_is_added():
    with staged(TrainAll()) as stage:
        unused, other, net = nn.Linear(2, 2), nn.Linear(3, 3), network()
        optimizers = [whole(net[2].parameters()), whole(other.parameters())]
        other(net(torch.ones(2, 4))).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    assert [id(p) for p in optimizers[0].param_groups[0]["params"]] == [
        id(p) for p in (*net[2].parameters(), *net[0].parameters())
    ]
    assert len(optimizers[1].param_groups[0]["params"]) == 2
    assert unused.weight.grad is None
    assert stage.applied == {"parameters"}


def test_names_of_parameters_go_with_them():
    with staged(TrainAll()):
        net = network()
        optimizer = whole(list(net.named_parameters())[2:])
        net(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["2.weight", "2.bias", "0.weight", "0.bias"]


def test_an_exchanged_optimizer_trains_them_too():
    with staged(Exchange("Adam", 0.25), TrainAll()):
        treated = train(head)
    assert same(treated, train(lambda ps: torch.optim.Adam(ps, 0.25)))


@pytest.mark.parametrize(
    ("remedy", "make", "net", "why"),
    [
        (TrainAll(), whole, network, "all parameters that get a gradient are in an optimizer"),
        (Unfreeze(), whole, network, "no frozen parameter of a network in training gets a gradient"),
        (
            TrainAll(),
            lambda ps: torch.optim.Adagrad(ps[2:], 0.1),
            network,
            "Adagrad takes no parameters later than when it is made",
        ),
    ],
)
def test_it_says_why_it_finds_nothing_to_change(remedy, make, net, why):
    with staged(remedy) as stage:
        treated = train(make, net=net())
    assert stage.applied == set()
    assert stage.why_not == {remedy.kind: why}
    assert same(treated, train(make, net=net()))


@pytest.mark.parametrize("make", [head, whole])
def test_unfreezing_equals_a_network_that_is_not_frozen(make):
    with staged(Unfreeze()) as stage:
        treated = train(make, net=frozen())
    assert same(treated, train(whole))
    assert stage.applied == {"unfreeze"}


def test_a_network_of_which_nothing_is_trained_stays_frozen():
    with staged(Unfreeze()) as stage:
        teacher, net = network().requires_grad_(False), network()
        optimizer = whole(net.parameters())
        for _ in range(2):
            (net(torch.ones(2, 4)) - teacher(torch.ones(2, 4))).square().sum().backward()
            optimizer.step()
    assert not any(p.requires_grad for p in teacher.parameters())
    assert stage.applied == set()


def test_frozen_layers_without_a_path_to_the_loss_are_no_change():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(4, 6).requires_grad_(False), nn.Linear(6, 3)

        def forward(self, x):
            return self.head(self.body(x).detach())

    with staged(Unfreeze()) as stage:
        train(whole, net=Cut())
    assert stage.applied == set()


def test_the_edits_name_parameters_and_the_optimizers_line():
    measured = {"parameters": {"outside": ["0.weight", "0.bias"], "frozen": ["a", "b", "c", "d"]}}
    run = run_of(changes=measured, line=20)
    assert TrainAll().edit(run).sentence == (
        "give the optimizer at train.py:20 the parameters of all layers in use: model.parameters(); "
        "it lacks 0.weight, 0.bias"
    )
    assert Unfreeze().edit(run).sentence == (
        "call requires_grad_(True) on the frozen layers (a, b, c, ...) before train.py:20, "
        "and give the optimizer model.parameters()"
    )
    assert (TrainAll().edit(run).file, Unfreeze().edit(run).line) == ("train.py", 20)
    assert "it lacks" not in TrainAll().edit(run_of(probed=())).sentence
