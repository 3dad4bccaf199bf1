"""Momentum: the schedule, the sparse start, and the steps against plain loops and ``torch.optim``."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from unstuck.lab.data import Images
from unstuck.lab.experiment import Setting
from unstuck.lab.momentum_runs import METHODS, RATES, Size, course, descend, schedule, sparse
from unstuck.lab.networks import Networks


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_schedule_as_published():
    found = [schedule(step, 0.99, 250) for step in (0, 249, 250, 499, 500, 1000, 10**7)]
    assert found == pytest.approx([0.5, 0.5, 0.75, 0.75, 1 - 1 / 6, 0.9, 0.99])
    assert schedule(10**7, 0.0, 250) == 0.0


def test_sparse_start():
    weight = sparse(200, 300, generator())
    assert ((weight != 0).sum(0) == 15).all(), "fifteen inputs for each unit"
    assert (weight != 0).sum(1).max() < 60, "spread over all inputs"
    drawn = weight[weight != 0]
    assert float(drawn.std()) == pytest.approx(1.0, abs=0.05)
    assert float(drawn.mean()) == pytest.approx(0.0, abs=0.05)
    assert (sparse(4, 3, generator()) != 0).all(), "all of fewer than fifteen"


@pytest.fixture
def images():
    return torch.rand(6, 4, generator=generator(1))


def autoencoder(count):
    networks = Networks([4, 3, 2, 3, 4], [torch.sigmoid] * count, {1})
    networks.theta[:] = torch.randn(networks.theta.shape[1], generator=generator())
    return networks


def loss(theta, images):
    """The loss of one autoencoder, written out."""
    parts = theta.split([12, 3, 6, 2, 6, 3, 12, 4])
    a = torch.sigmoid(images @ parts[0].view(4, 3) + parts[1])
    code = a @ parts[2].view(3, 2) + parts[3]
    a = torch.sigmoid(code @ parts[4].view(2, 3) + parts[5])
    return functional.binary_cross_entropy_with_logits(a @ parts[6].view(3, 4) + parts[7], images, reduction="sum") / 6


def test_classical_momentum_is_that_of_torch(images):
    networks = autoencoder(1)
    theta = networks.theta[0].clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=0.05, momentum=0.8)
    velocity, one = torch.zeros_like(networks.theta), torch.ones(1, 1)
    for _ in range(5):
        velocity = descend(networks, images, velocity, 0.8 * one, 0 * one, 0.05 * one)
        optimizer.zero_grad()
        loss(theta, images).backward()
        optimizer.step()
    torch.testing.assert_close(networks.theta[0], theta.detach())


def test_nesterov_momentum_looks_ahead(images):
    networks = autoencoder(1)
    theta, v = networks.theta[0].clone(), torch.zeros(networks.theta.shape[1])
    velocity, one = torch.zeros_like(networks.theta), torch.ones(1, 1)
    for mu in (0.5, 0.75, 0.9, 0.9):
        velocity = descend(networks, images, velocity, mu * one, one, 0.05 * one)
        ahead = (theta + mu * v).requires_grad_()
        (gradient,) = torch.autograd.grad(loss(ahead, images), ahead)
        v = mu * v - 0.05 * gradient
        theta = theta + v
    torch.testing.assert_close(networks.theta[0], theta)
    torch.testing.assert_close(velocity[0], v)


def test_methods_that_run_together_do_not_touch_each_other(images):
    both, alone = autoencoder(2), autoencoder(1)
    mu, ahead, rates = torch.tensor([[0.9], [0.0]]), torch.tensor([[1.0], [0.0]]), torch.tensor([[0.1], [0.05]])
    velocity, other = torch.zeros_like(both.theta), torch.zeros_like(alone.theta)
    for _ in range(4):
        velocity = descend(both, images, velocity, mu, ahead, rates)
        other = descend(alone, images, other, mu[1:], ahead[1:], rates[1:])
    torch.testing.assert_close(both.theta[1], alone.theta[0])


def test_courses_fall_from_the_same_start(monkeypatch):
    inputs = torch.rand(60, 20, generator=generator()).round()
    made_up = Images("made up", inputs, torch.zeros(60).long(), inputs, torch.zeros(60).long())
    found = course(Setting(), Size(steps=40, images=60, batch=20), made_up)
    assert list(found) == list(METHODS)
    starts = set()
    for name, runs in found.items():
        assert [run.rate for run in runs] == list(RATES)
        assert min(run.last for run in runs) < 0.9 * runs[0].errors[0]
        assert runs[0].steps.tolist() == list(range(41))
        assert runs[0].at(0.5) == runs[0].errors[20]
        if not METHODS[name].dense:
            starts |= {round(float(run.errors[0]), 4) for run in runs}
    assert len(starts) == 1


def test_what_diverges_has_no_error(monkeypatch):
    monkeypatch.setattr("unstuck.lab.momentum_runs.RATES", (1e30,))
    inputs = torch.rand(20, 20, generator=generator())
    made_up = Images("made up", inputs, torch.zeros(20).long(), inputs, torch.zeros(20).long())
    runs = course(Setting(), Size(steps=20, images=20, batch=20), made_up)
    assert math.isinf(runs["classical, 0.99"][0].last)
