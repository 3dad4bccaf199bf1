"""Quickprop in tensors against Fahlman's rule, one weight at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.constructive.reference import quickprop
from unstuck.constructive.quickprop import Quickprop


def one_step(w, d, s, p, rate, decay, mu):
    """The rule as the program says it."""
    s += decay * w
    shrink, step = mu / (1 + mu), 0.0
    if d < 0:
        if s > 0:
            step -= rate * s
        step += mu * d if s >= shrink * p else d * s / (p - s)
    elif d > 0:
        if s < 0:
            step -= rate * s
        step += mu * d if s <= shrink * p else d * s / (p - s)
    else:
        step -= rate * s
    return w + step, step, s


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_each_weight_takes_the_step_of_the_rule(decay):
    generator = np.random.default_rng(0)
    w, d, p = (generator.choice([-1.5, -1.0, 0.0, 0.5, 1.0], 400) for _ in range(3))
    state = Quickprop(torch.tensor(w.reshape(20, 20)), 1.75)
    state.steps.copy_(torch.tensor(d.reshape(20, 20)))
    state.before.copy_(torch.tensor(p.reshape(20, 20)))
    for _ in range(4):
        s = generator.normal(size=400)
        state.slopes.copy_(torch.tensor(s.reshape(20, 20)))
        state.update(0.35, decay)
        array = quickprop(w, d, p, s, 0.35, decay, 1.75)
        w, d, p = np.array([one_step(*four, 0.35, decay, 1.75) for four in zip(w, d, s, p, strict=True)]).T
        for ours, theirs, plain in zip((state.weights, state.steps, state.before), (w, d, p), array, strict=True):
            np.testing.assert_allclose(ours.flatten(), theirs, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(plain, theirs, rtol=1e-10, atol=1e-12)


def test_a_slope_of_nought_twice_is_no_division_by_nought():
    state = Quickprop(torch.ones(1), 2.0)
    state.steps.fill_(0.5)
    state.slopes.zero_()
    state.update(0.1, 0.0)
    assert state.steps.item() == 1.0
