"""Encoders of many seeds at once, against one network at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unstuck.lab.encoders import RIGHT, Learned, Size, adam, descent, epochs, initial, quickprop
from unstuck.optim import Quickprop, atanh_error, offset_sigmoid

SIZE, SEEDS = Size(4, 2), 2


def alone(first, second, make, error, offset, limit):
    """Return the epochs of one network, written with matrices of one example after the other."""
    first, second = first.clone().requires_grad_(), second.clone().requires_grad_()
    optimizer = make([first, second])
    for epoch in range(limit + 1):
        total, right = torch.zeros(()), True
        for example in torch.eye(SIZE.units):
            hidden = offset_sigmoid(example @ first[:-1] + first[-1], offset)
            output = offset_sigmoid(hidden @ second[:-1] + second[-1], offset)
            right &= bool(((output - example).abs() < RIGHT).all())
            total = total + error(output, example)
        if right:
            return epoch
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return math.inf


def squared(output, target):
    return ((output - target) ** 2).sum() / 2


def test_back_propagation_at_several_rates_is_that_of_each_network_alone():
    weights = initial(SIZE, SEEDS, 1.0, 3)
    counts = epochs(SIZE, weights, descent([1.0, 3.0], 0.1), 120)
    for row, rate in enumerate((1.0, 3.0)):
        for seed in range(SEEDS):
            own = alone(*(w[seed] for w in weights), lambda ws, r=rate: torch.optim.SGD(ws, lr=r), squared, 0.1, 120)
            assert counts[row, seed].item() == own
    assert counts.isfinite().any()


def test_epsilon_of_quickprop_is_a_factor_of_the_error():
    weights = initial(SIZE, SEEDS, 1.0, 3)
    counts = epochs(SIZE, weights, quickprop([0.5, 2.0]), 80)
    for row, epsilon in enumerate((0.5, 2.0)):

        def make(ws, epsilon=epsilon):
            return Quickprop([{"params": [w], "lr": epsilon / w.shape[0]} for w in ws], mu=1.75)

        for seed in range(SEEDS):
            own = alone(*(w[seed] for w in weights), make, atanh_error, 0.1, 80)
            assert counts[row, seed].item() == pytest.approx(own, abs=1)  # float32: a factor rounds
    assert counts.isfinite().all()


def test_what_is_not_learned_within_the_limit_is_infinite_and_leaves_the_weights_alone():
    weights = initial(SIZE, SEEDS, 1.0, 0)
    before = [w.clone() for w in weights]
    assert epochs(SIZE, weights, adam(1e-6), 2).isinf().all()
    assert all(torch.equal(a, b) for a, b in zip(weights, before, strict=True))


def test_weights_are_even_within_the_radius_and_follow_the_seed():
    first, second = initial(Size(10, 5), 20, 2.0, 0)
    assert first.shape == (20, 11, 5)
    assert second.shape == (20, 6, 10)
    assert 1.9 < first.abs().max() <= 2
    assert first.var().item() == pytest.approx(4 / 3, rel=0.1)
    assert torch.equal(first, initial(Size(10, 5), 20, 2.0, 0)[0])
    assert not torch.equal(first, initial(Size(10, 5), 20, 2.0, 1)[0])


def test_a_run_that_did_not_arrive_counts_as_the_limit():
    learned = Learned("", (1.0, 2.0), np.array([[10.0, np.inf], [20.0, 30.0]]))
    assert learned.means(100).tolist() == [55, 25]
    assert learned.best(100) == 1
