"""All ways of writing the epoch do the same arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unstuck.lab import slow_rows as ways
from unstuck.lab.slow_code import SlowCode
from unstuck.lab.slow_timing import FLOP, PARAMETERS, WEIGHTS, Way, gradient_error


def test_the_counts_are_those_of_the_network():
    model = ways.torch_model()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS == 3160
    assert WEIGHTS == 3081
    assert FLOP == 15_444
    assert Way("", 2.0, 1).speed == pytest.approx(15_444 * 10_000 / 2e9)


def test_loops_numpy_and_torch_train_alike():
    layers = ways.draw(0)
    x, y = ways.examples(6, 0)
    model = ways.torch_model().double()
    linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    for layer, (weights, biases) in zip(linear, layers, strict=True):
        layer.weight.data.copy_(torch.from_numpy(weights))
        layer.bias.data.copy_(torch.from_numpy(biases))
    lists = ways.as_lists(layers)
    ways.loops_epoch(lists, x.tolist(), y[:, 0].tolist())
    ways.torch_epoch(model, torch.from_numpy(x), torch.from_numpy(y), 1)
    ways.numpy_epoch(layers, x, y, 1)
    for layer, (weights, biases), (rows, offsets) in zip(linear, layers, lists, strict=True):
        np.testing.assert_allclose(layer.weight.detach().numpy(), weights, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(rows, weights, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(offsets, biases, rtol=1e-9, atol=1e-12)


def test_the_gradient_of_a_batch_is_that_of_autograd():
    layers = ways.draw(1)
    x, y = ways.examples(8, 1)
    leaves = [[torch.tensor(values, requires_grad=True) for values in layer] for layer in layers]
    values = torch.from_numpy(x)
    for weights, biases in leaves[:-1]:
        values = torch.sigmoid(values @ weights.T + biases)
    loss = (values @ leaves[-1][0].T + leaves[-1][1] - torch.from_numpy(y)).square().mean() / 2
    loss.backward()
    for layer, slope in zip(leaves, ways.gradient(layers, x, y), strict=True):
        for leaf, ours in zip(layer, slope, strict=True):
            np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_differences_confirm_the_gradient_and_expose_a_wrong_one(monkeypatch):
    assert gradient_error(0) < 1e-7
    right = ways.gradient
    monkeypatch.setattr(ways, "gradient", lambda *a: [(1.01 * w, b) for w, b in right(*a)])
    assert gradient_error(0) > 1e-4


def test_the_experiment_says_which_numbers_are_times():
    assert SlowCode.name == "slow-code"
    state = torch.random.get_rng_state()
    ways.torch_model()
    assert torch.equal(torch.random.get_rng_state(), state)
