"""Weights drawn anew before the first forward pass."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tests.remedies.training import network, run_of, staged
from unstuck.errors import UsageError
from unstuck.remedies.initialisation import Initialise

X = torch.randn(64, 40, generator=torch.Generator().manual_seed(0))


def bad(*layers):
    """Return a network whose author drew bad weights."""
    torch.manual_seed(3)
    net = nn.Sequential(*(layers or (nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 2))))
    for p in net.parameters():
        nn.init.constant_(p, 7.0)
    return net


def started(scheme, net=None, given=X):
    """Return a network after its first forward pass."""
    with staged(Initialise(scheme)) as stage:
        net = net if net is not None else bad()
        net(given)
    assert stage.applied == {"initialisation"}
    return net


@pytest.mark.parametrize(("scheme", "std"), [("glorot", math.sqrt(2 / 80)), ("he", math.sqrt(2 / 40))])
def test_weights_have_the_scale_of_the_scheme_and_biases_are_0(scheme, std):
    net = started(scheme)
    assert float(net[2].weight.detach().std()) == pytest.approx(std, rel=0.1)
    assert all(not layer.bias.any() for layer in (net[0], net[2], net[4]))
    assert not torch.equal(net[0].weight, net[2].weight)


def test_orthogonal_weights_are_orthogonal():
    net = started("orthogonal", bad(nn.Linear(40, 40), nn.ReLU(), nn.Unflatten(1, (10, 4)), nn.Conv1d(10, 6, 2)))
    assert torch.allclose(net[0].weight @ net[0].weight.T, torch.eye(40), atol=1e-5)
    flat = net[3].weight.flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(6), atol=1e-5)


def test_recurrent_weights_become_orthogonal_block_by_block():
    lstm = nn.LSTM(40, 8)
    with staged(Initialise("glorot")):
        lstm(X)
    for block in lstm.weight_hh_l0.split(8):
        assert torch.allclose(block @ block.T, torch.eye(8), atol=1e-5)
    assert float(lstm.weight_ih_l0.detach().std()) == pytest.approx(math.sqrt(2 / (40 + 32)), rel=0.1)


def test_transposed_convolutions_count_their_inputs():
    net = started("he", bad(nn.Unflatten(1, (40, 1)), nn.ConvTranspose1d(40, 400, 1)))
    assert float(net[1].weight.detach().std()) == pytest.approx(math.sqrt(2 / 40), rel=0.1)


def test_lsuv_gives_every_layer_outputs_of_variance_1():
    net = bad()
    with staged(Initialise("lsuv")) as stage:
        state = torch.get_rng_state()
        net(50 * X)
        assert torch.equal(torch.get_rng_state(), state)
    hidden = 50 * X
    for module in net:
        hidden = module(hidden)
        if isinstance(module, nn.Linear):
            assert float(hidden.detach().var()) == pytest.approx(1, abs=0.15)
    assert stage.applied == {"initialisation"}


def test_default_is_what_torch_draws():
    net = started("default")
    assert float(net[2].weight.detach().std()) == pytest.approx(1 / math.sqrt(3 * 40), rel=0.1)
    assert net[0].bias.any()


@pytest.mark.parametrize("scheme", ["glorot", "lsuv", "default"])
def test_the_program_s_random_numbers_stay_where_they_are_and_the_seed_counts(scheme):
    def weights(seed):
        with staged(Initialise(scheme)):
            net = network()
            torch.manual_seed(seed)
            state = torch.get_rng_state()
            net(torch.ones(5, 4) * torch.arange(5)[:, None])
            assert torch.equal(torch.get_rng_state(), state)
        return net[0].weight.detach()

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_weights_that_were_loaded_stay():
    with staged(Initialise("he")) as stage:
        net = bad()
        net.load_state_dict(net.state_dict())
        net(X)
    assert float(net[0].weight.detach().std()) == 0.0
    assert stage.applied == set()
    assert stage.why_not == {"initialisation": "the program has loaded its weights"}


def test_a_network_inside_vmap_is_not_touched():
    net = bad(nn.Linear(40, 2))
    weights = {name: torch.stack([p.detach()] * 3) for name, p in net.named_parameters()}
    with staged(Initialise("he")) as stage:
        torch.vmap(lambda w: torch.func.functional_call(net, w, X))(weights)
    assert (net[0].weight == 7.0).all()
    assert stage.applied == set()


def test_frozen_weights_stay():
    net = bad()
    net[0].requires_grad_(False)
    started("he", net)
    assert (net[0].weight == 7.0).all()
    assert not (net[2].weight == 7.0).any()


def test_a_network_without_such_layers_cannot_be_treated():
    with staged(Initialise("he")) as stage:
        nn.LayerNorm(40)(X)
    assert stage.why_not == {"initialisation": "the network has no layer of torch that is trained"}


def test_the_edit_names_the_layers():
    edit = Initialise("glorot").edit(run_of())
    assert edit.sentence == (
        "write nn.init.xavier_uniform_(weight) and nn.init.zeros_(bias) for "
        "fc1 (train.py:10), fc2 (train.py:11) and fc3 (train.py:12)"
    )
    assert "as torch draws them" in Initialise("default").edit(run_of()).sentence
    assert Initialise("lsuv").label == "lsuv initialisation"
    with pytest.raises(UsageError, match="there is no initialisation 'best'"):
        Initialise("best")
