"""Hidden layers with more units."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from tests.remedies.training import batch, network, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.widening import Widen


def adam(parameters):
    return torch.optim.Adam(parameters, 0.01)


class Images(nn.Sequential):
    def forward(self, x):
        return super().forward(x.view(-1, 1, 2, 2))


def deep(width):
    norm = nn.LayerNorm(width)
    return nn.Sequential(nn.Linear(4, width), norm, nn.ReLU(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 3))


def conv(width):
    pooled = nn.Sequential(nn.ConvTranspose2d(width, width, 1), nn.GroupNorm(2, width), nn.ReLU(), nn.Flatten())
    return Images(nn.Conv2d(1, width, 1), nn.BatchNorm2d(width), nn.ReLU(), *pooled, nn.Linear(4 * width, 3))


@pytest.mark.parametrize("make", [deep, conv])
def test_it_trains_as_the_wide_network_that_a_person_writes(make):
    starts = []
    torch.manual_seed(0)
    narrow, wide = make(6), make(18)
    with staged(Widen(3)) as stage:
        # Runs after the remedy, and keeps what the network starts from.
        stage.before_first_forward(lambda net, args, kwargs: starts.append(copy.deepcopy(net.state_dict())))
        treated = train(adam, net=narrow)
    assert stage.applied == {"more-units"}
    wide.load_state_dict(starts[0])  # every shape fits
    assert same(treated, train(adam, net=wide))
    assert [str(layer) for layer in narrow.modules()][1:] == [str(layer) for layer in wide.modules()][1:]
    narrow.eval()
    wide.eval()
    assert torch.equal(narrow(batch(99)[0]), wide(batch(99)[0]))


def test_no_random_number_of_the_programs_is_used():
    with staged(Widen(2)):
        net = network()
        before = torch.get_rng_state()
        net(batch(0)[0])
    assert torch.equal(before, torch.get_rng_state())


def test_new_weights_have_the_spread_of_the_programs_own():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 200), nn.Linear(200, 200), nn.Linear(200, 3))
    nn.init.normal_(net[0].weight, std=0.3)
    nn.init.constant_(net[0].bias, -2.0)
    nn.init.zeros_(net[2].weight)
    second = net[1].weight.std().item()
    with staged(Widen(2)):
        net(batch(0)[0])
    assert [tuple(layer.weight.shape) for layer in net] == [(400, 4), (400, 400), (3, 400)]
    assert net[0].weight.std().item() == pytest.approx(0.3, rel=0.1)
    assert bool((net[0].bias == -2.0).all())
    assert net[1].weight.std().item() == pytest.approx(second / 2**0.5, rel=0.05)
    assert bool((net[2].weight == 0).all())


class Skip(nn.Module):
    """A width that a skip connection shares, and one that it does not."""

    def __init__(self):
        super().__init__()
        self.first, self.inner, self.back, self.last = (nn.Linear(a, b) for a, b in ((4, 6), (6, 5), (5, 6), (6, 3)))

    def forward(self, x):
        x = self.first(x)
        return self.last(x + self.back(torch.relu(self.inner(x))))


def test_a_width_that_a_skip_connection_shares_stays():
    with staged(Widen(2)) as stage:
        net = Skip()
        train(adam, net=net)
    assert stage.applied == {"more-units"}
    sizes = [layer.out_features for layer in (net.first, net.inner, net.back, net.last)]
    assert sizes == [6, 10, 6, 3]


class Fixed(nn.Module):
    """A width that is written in the forward pass too."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.last(self.first(x).reshape(-1, 2, 3).flatten(1))


def test_a_network_that_does_not_run_with_it_is_put_back():
    with staged(Widen(2)) as stage:
        net = Fixed()
        before = copy.deepcopy(net.state_dict())
        net(batch(0)[0])
    assert stage.applied == set()
    assert stage.why_not == {"more-units": "no hidden layer is seen whose width nothing else depends on"}
    assert same(list(net.state_dict().values()), list(before.values()))
    assert (net.first.out_features, net.last.in_features) == (6, 3 * 2)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda net: net.load_state_dict(net.state_dict()), "the program has loaded its weights"),
        (
            lambda net: torch.optim.Adagrad(net.parameters()),
            "an optimizer has begun before the first forward pass",
        ),
        (
            lambda net: net[0].requires_grad_(False),
            "no hidden layer is seen whose width nothing else depends on",
        ),
    ],
)
def test_weights_that_are_not_the_remedys_to_change_stay(prepare, why):
    with staged(Widen(2)) as stage:
        net = network()
        kept = prepare(net)
        net(batch(0)[0])
    assert kept is not None
    assert stage.applied == set()
    assert stage.why_not == {"more-units": why}
    assert net[0].weight.shape == (6, 4)


def test_the_edit_names_the_layers_and_the_units():
    edit = Widen(2).edit(run_of())
    assert edit.sentence == "make fc1 (train.py:10) and fc2 (train.py:11) 2 times as wide (64 units)"
    assert Widen(2).label == "hidden layers 2 times as wide"
    assert Widen(2).changes_step
    for factor in (1, 1.5):
        with pytest.raises(UsageError, match=r"2, 3, \.\.\. times as wide"):
            Widen(factor)
