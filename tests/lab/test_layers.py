"""Layers on parity: the gradient against autograd, the two ways to step, and the coupling against plain differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unstuck.lab.coupling import coupling
from unstuck.lab.layers import draw, forward, gradients, task, train
from unstuck.lab.ways import RATES, SAME, WAYS, train_in_all_ways


def by_autograd(weights):
    """Return the gradients of one error per network."""
    inputs, wanted = task()
    leaves = [weight.clone().requires_grad_() for weight in weights]
    loss = ((forward(leaves, inputs)[-1] - wanted) ** 2).mean((1, 2)).sum() / 2
    return list(torch.autograd.grad(loss, leaves))


@pytest.mark.parametrize("depth", [1, 3])
def test_gradients_are_those_of_autograd(depth):
    weights = draw(depth, 2, 0)
    expected = by_autograd(weights)
    found = gradients(weights, *task(), undiluted=False)
    assert all(torch.allclose(a, b) for a, b in zip(found, expected, strict=True))
    assert torch.allclose(gradients(weights, *task(), undiluted=False, lowest=1)[0], expected[1])


def test_undiluted_gradients_are_divided_by_the_mean_slopes_above():
    weights = draw(2, 1, 0)
    values = forward(weights, task()[0])
    plain, undiluted = (gradients(weights, *task(), undiluted=flag) for flag in (False, True))
    near, far = ((1 - values[place] ** 2).mean() for place in (2, 1))
    assert torch.allclose(undiluted[2], plain[2])
    assert torch.allclose(undiluted[1], plain[1] / near)
    assert torch.allclose(undiluted[0], plain[0] / (near * far))


@pytest.mark.parametrize("in_turn", [False, True])
def test_networks_at_several_rates_learn_as_each_does_alone(in_turn):
    weights = draw(1, 2, 5)
    trained = train(weights, (0.5, 1.0), 60, in_turn=in_turn)
    inputs, wanted = task()
    for row, rate in enumerate((0.5, 1.0)):
        for seed in range(2):
            own, reached = [weight[seed : seed + 1] for weight in weights], np.inf
            for epoch in range(61):
                if bool((forward(own, inputs)[-1] * wanted > 0).all()):
                    reached = epoch
                    break
                if in_turn:
                    for place in range(2):
                        own[place] = own[place] - rate * by_autograd(own)[place]
                else:
                    own = [w - rate * g for w, g in zip(own, by_autograd(own), strict=True)]
            assert trained.epochs[row, seed] == reached
    assert 0 < trained.slope < 1


def test_coupling_is_the_change_by_the_others_steps():
    weights, rate = draw(2, 2, 1), 0.3
    found = coupling(weights, rate)
    before = by_autograd(weights)
    moved = [w - rate * g for w, g in zip(weights, before, strict=True)]
    after = by_autograd([moved[0], weights[1], moved[2]])[1]
    upstream = by_autograd([moved[0], weights[1], weights[2]])[1]
    for seed in range(2):
        size = before[1][seed].norm()
        assert found.others[seed, 1] == pytest.approx(((after - before[1])[seed].norm() / size).item())
        assert found.upstream[seed, 1] == pytest.approx(((upstream - before[1])[seed].norm() / size).item())
    assert (found.upstream[:, 0] == 0).all()
    assert found.others.shape == (2, 3)


def test_first_order_coupling_is_the_limit_of_small_steps():
    weights = draw(3, 2, 2)
    small = coupling(weights, 1e-5)
    assert small.predicted == pytest.approx(small.others, rel=1e-3)
    assert coupling(weights, 1e-4).predicted == pytest.approx(10 * small.predicted)


def test_each_way_counts_at_its_best_rate():
    found = train_in_all_ways(1, 3, 40, 0)
    start = draw(1, 3, 0)
    for place, (undiluted, in_turn) in enumerate(WAYS.values()):
        epochs = train(start, RATES, 40, undiluted=undiluted, in_turn=in_turn).epochs
        medians = [float(np.median(row)) for row in np.minimum(epochs, 40)]
        assert found.epochs[place] == min(medians)
        assert found.rates[place] == RATES[medians.index(min(medians))]
        assert found.same[place] == medians[RATES.index(SAME)]
        assert found.arrived[place] == np.isfinite(epochs[RATES.index(found.rates[place])]).mean()
