"""Many networks at once against one ``torch.nn.Sequential`` for each."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.lab.networks import Networks, batches, cross_entropy

SIZES = (5, 4, 3, 2)
FUNCTIONS = (torch.tanh, torch.tanh, torch.relu)
MODULES = (nn.Tanh, nn.Tanh, nn.ReLU)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def networks():
    made = Networks(SIZES, FUNCTIONS)
    made.theta.normal_(generator=generator())
    return made


def alone(networks, number, plain=()):
    """One of the networks as a module."""
    parts = []
    for layer, (weight, bias) in enumerate(networks.layers):
        linear = nn.utils.skip_init(nn.Linear, *weight.shape[1:])
        linear.weight.data, linear.bias.data = weight[number].T.clone(), bias[number, 0].clone()
        last = layer == len(networks.layers) - 1
        parts += [linear, nn.Identity() if last or layer in plain else MODULES[number]()]
    return nn.Sequential(*parts)


@pytest.mark.parametrize("plain", [(), (1,)])
def test_each_is_the_network_that_it_would_be_alone(plain):
    networks = Networks(SIZES, FUNCTIONS, plain)
    networks.theta.normal_(generator=generator())
    inputs, labels = torch.randn(7, 5, generator=generator(1)), torch.arange(7) % 2
    sums = networks.run(inputs)
    losses, gradient = networks.gradient(inputs, cross_entropy(labels))
    assert [one.shape[1:] for one in sums] == [(7, 4), (7, 3), (7, 2)]
    for number in range(3):
        module = alone(networks, number, plain)
        outputs = module(inputs)
        loss = nn.functional.cross_entropy(outputs, labels)
        loss.backward()
        torch.testing.assert_close(sums[-1][number], outputs.detach())
        torch.testing.assert_close(losses[number], loss.detach())
        wanted = [p.grad.T.flatten() if p.grad.dim() == 2 else p.grad for p in module.parameters()]
        torch.testing.assert_close(gradient[number], torch.cat(wanted))


def test_signals_are_derivatives_by_the_weighted_sums(networks):
    inputs, labels = torch.randn(1, 5, generator=generator(1)), torch.tensor([1])
    sums, slopes = networks.signals(inputs, cross_entropy(labels))
    _, gradient = networks.gradient(inputs, cross_entropy(labels))
    first_bias = gradient[:, 20:24]
    torch.testing.assert_close(slopes[0][:, 0], first_bias)  # of one example, dC/dz is the gradient of the bias
    assert [one.shape for one in sums] == [one.shape for one in slopes]


def test_one_that_diverges_leaves_the_others_alone(networks):
    inputs, labels = torch.randn(7, 5, generator=generator(1)), torch.arange(7) % 2
    _, before = networks.gradient(inputs, cross_entropy(labels))
    networks.theta[0] = torch.nan
    _, after = networks.gradient(inputs, cross_entropy(labels))
    assert after[0].isnan().all()
    assert torch.equal(before[1:], after[1:])


def test_layers_are_views(networks):
    networks.layers[1][1][2] = 7.0
    assert (networks.theta[2] == 7).sum() == 3


def test_batches_hold_each_example_once():
    found = batches(10, 3, generator())
    assert [len(one) for one in found] == [3, 3, 3]
    assert len(set(torch.cat(found).tolist())) == 9
