"""The planted task: the hand-written gradient against autograd, and what is measured on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unstuck.lab import planted
from unstuck.lab.greedy import PASSES, RATE, add_units, climb
from unstuck.lab.planted import Arm, Course, draw, effective_rank, lacking, train


def test_steps_are_those_of_gradient_descent_by_autograd():
    course = train(Arm("", spread=0.5), 2, 10, 4)
    inputs, parts = draw(2, 4)
    for seed in range(2):
        first, second = (w[seed].clone().requires_grad_() for w in planted._weights(2, 0.5, 4))
        wanted = parts[seed, :, 0] + 0.3 * parts[seed, :, 1]
        for step in range(11):
            units = torch.tanh(inputs[seed] @ first[:-1] + first[-1])
            error = (units @ second[:-1] + second[-1])[:, 0] - wanted
            left = np.linalg.lstsq(parts[seed].numpy(), error.detach().numpy(), rcond=None)[0]
            assert course.missing[seed, step] == pytest.approx(np.abs(left) / [1, 0.3])
            gradients = torch.autograd.grad((error**2).mean() / 2, (first, second))
            with torch.no_grad():
                for weight, gradient in zip((first, second), gradients, strict=True):
                    weight -= 0.2 * gradient
    assert course.times.tolist() == [0, 5, 10]
    assert course.rank.shape == course.pulled.shape == course.turned.shape == (2, 3)


def test_effective_rank_is_one_of_copies_and_the_number_of_independent_units():
    random = torch.Generator().manual_seed(0)
    one = torch.randn(1, 50, 1, generator=random, dtype=torch.float64)
    assert effective_rank(one * torch.tensor([1.0, -2.0, 3.0]) + 5).item() == pytest.approx(1, abs=1e-6)
    basis = torch.linalg.qr(torch.randn(50, 5, generator=random, dtype=torch.float64)).Q
    basis = torch.linalg.qr(basis - basis.mean(0)).Q
    assert effective_rank(basis[None]).item() == pytest.approx(5)


def test_frozen_units_stop_once_the_strong_part_is_solved(monkeypatch):
    monkeypatch.setattr(planted, "SOLVED", 2.0)  # at once
    free = train(Arm("", spread=0.3), 1, 5, 0)
    held = train(Arm("", spread=0.3, frozen=8), 1, 5, 0)
    assert held.rank[0, 0] == held.rank[0, 1]  # no unit moved
    assert free.rank[0, 0] != free.rank[0, 1]


def test_a_part_is_solved_when_it_stays_below_the_threshold():
    missing = np.array([[[1, 1], [0.05, 0.5], [0.04, 0.4]], [[0.09, 0.01], [0.03, 0.3], [0.02, 0.01]]])
    course = Course(missing, *[np.zeros((2, 1))] * 4)
    assert course.solved(0).tolist() == [1, 0]
    assert course.solved(1).tolist() == [np.inf, 2]


def test_a_unit_climbs_its_covariance_with_the_error():
    inputs, parts = draw(2, 1)
    inputs = torch.cat([inputs, torch.ones(2, inputs.shape[1], 1)], 2)
    error = -0.3 * parts[:, :, 1:]
    first = torch.full((2, 11, 1), 0.01, dtype=torch.float64)
    weights = climb(inputs, error, first)
    one = first[0].clone().requires_grad_()
    scaled = (error[0] - error[0].mean()) / (error[0] - error[0].mean()).square().mean().sqrt()
    for _ in range(PASSES):
        size = (torch.tanh(inputs[0] @ one) * scaled).mean().abs()
        (slope,) = torch.autograd.grad(size, one)
        one = (one + RATE * slope).detach().requires_grad_()
    assert torch.allclose(weights[0], one.detach())
    assert (weights[:, :, 0].abs().argmax(1) == 1).all()


def test_two_added_units_solve_both_parts_one_after_the_other():
    missing = add_units(Arm(""), 2, 2, 0)
    assert missing.shape == (2, 3, 2)
    assert missing[:, 0] == pytest.approx(np.ones((2, 2)), abs=0.01)
    assert (missing[:, 1, 0] < 0.1).all()
    assert (missing[:, 1, 1] > 0.4).all()
    assert (missing[:, 2] < 0.1).all()


def test_nothing_is_missing_of_a_part_that_is_not_in_the_task():
    _, parts = draw(1, 0)
    assert lacking(-0.3 * parts[:, :, 1:], parts, (0.0, 0.3))[0].tolist() == pytest.approx([0, 1])
