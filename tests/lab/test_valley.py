"""The rates of descent against closed forms and spectral radii, and the count of memory against known sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unstuck.lab.descents import METHODS, Rule, descend, late_factor
from unstuck.lab.hessian_memory import Network, peak_bytes


def _radius(rule: Rule, curvature: float) -> float:
    """Return the spectral radius of a step's matrix for ``(x, v)``."""
    pull = rule.rate * curvature
    keep = rule.momentum - pull * rule.peek
    return float(np.abs(np.linalg.eigvals(np.array([[1 - pull, keep], [-pull, keep]]))).max())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.label)
def test_the_rate_of_theory_is_the_spectral_radius(method):
    for condition in (10.0, 1000.0):
        rule = method.rule(1.0, condition)
        worst = max(_radius(rule, curvature) for curvature in (1.0, condition))
        # At a double root eigenvalues are exact to half the digits only.
        assert worst == pytest.approx(method.factor(condition), abs=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.label)
def test_a_long_descent_has_the_rate_of_theory(method):
    points = descend([method.rule(1.0, 100.0)], np.array([[1.0, 100.0]]), np.ones(2), 4000)
    late = late_factor(np.linalg.norm(points, axis=2)[:, 0])
    assert math.log(late) == pytest.approx(math.log(method.factor(100.0)), rel=0.02)


def test_descents_are_those_of_torch():
    start = np.array([-10.0, 1.0])
    for rule, nesterov in ((Rule(0.0198), False), (Rule(0.01, 0.9), False), (Rule(0.004, 0.8, 0.8), True)):
        place = torch.tensor(start, requires_grad=True)
        # torch holds the point that Nesterov's gradient is taken at, x + peek v.
        optimizer = torch.optim.SGD([place], lr=rule.rate, momentum=rule.momentum, nesterov=nesterov)
        points = descend([rule], np.array([[1.0, 100.0]]), start, 30)[:, 0]
        for step in range(30):
            seen = points[step] + rule.peek * (points[step] - points[max(step - 1, 0)])
            np.testing.assert_allclose(place.detach().numpy(), seen, rtol=1e-9, atol=1e-12)
            optimizer.zero_grad()
            ((place[0] ** 2 + 100 * place[1] ** 2) / 2).backward()
            optimizer.step()


def test_the_peak_is_what_is_alive_at_a_time():
    def work() -> torch.Tensor:
        first = torch.zeros(1000)  # 4000 bytes
        second = first + 1  # 8000 alive
        del first
        return second.view(10, 100) * 2  # a view makes nothing; 8000 alive again

    assert peak_bytes(work) == 8000


def test_the_hessian_is_that_of_torch_and_the_product_is_its_own():
    network = Network(3, 4, torch.Generator().manual_seed(0))
    reference = torch.autograd.functional.hessian(network.loss, network.place)
    matrix = network.hessian()
    torch.testing.assert_close(matrix, reference, rtol=1e-4, atol=1e-6)
    vector = torch.arange(float(network.size))
    torch.testing.assert_close(network.product(vector), matrix @ vector, rtol=1e-4, atol=1e-4)
    assert peak_bytes(network.hessian) >= 4 * network.size**2
