"""Kinds of points that are known, and a search that finds all critical points of a known function."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unstuck.lab.critical_points import classify, derivatives, descend, find, kinds
from unstuck.lab.flat_network import FlatNetwork
from unstuck.lab.surface import _examples, _ranks


def _two_wells(p: torch.Tensor) -> torch.Tensor:
    """Minima at x = -1 and 1, a saddle at 0."""
    return (p[:, 0] ** 2 - 1) ** 2 + p[:, 1] ** 2


def test_the_kinds_of_known_points():
    assert list(_examples().values()) == ["minimum", "saddle", "flat", "slope"]
    assert classify(0.0, -2.0, -1.0) == "maximum"
    points = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [0.5, 0.0]], dtype=torch.float64)
    assert kinds(_two_wells, points) == ["minimum", "saddle", "slope"]


def test_derivatives_are_those_of_each_point():
    network = FlatNetwork((2, 2, 1))
    x = torch.tensor([[0.0, 1.0], [1.0, -1.0], [0.5, 2.0]], dtype=torch.float64)

    def loss(places: torch.Tensor) -> torch.Tensor:
        return network.outputs(places, x).squeeze(-1).sub(1).square().mean(-1)

    places = network.draw(3, torch.Generator().manual_seed(4), torch.float64)
    gradients, hessians = derivatives(loss, places)
    for place, gradient, hessian in zip(places, gradients, hessians, strict=True):
        torch.testing.assert_close(gradient, torch.autograd.functional.jacobian(loss, place))
        torch.testing.assert_close(hessian, torch.autograd.functional.hessian(loss, place))


def test_the_search_finds_minima_and_saddles():
    starts = torch.tensor([[x, y] for x in (-1.3, -0.8, -0.2, 0.1, 0.9, 1.4) for y in (-1.0, 0.5)], dtype=torch.float64)
    found = find(_two_wells, starts, 60)
    assert found.tried == 12
    # The two minima have the same loss, so that one of them stands for both.
    assert sorted(abs(round(x)) for x in found.places[:, 0].tolist()) == [0, 1]
    for place, loss, index in zip(found.places, found.losses, found.index, strict=True):
        at_saddle = abs(float(place[0])) < 0.5
        assert float(index) == (0.5 if at_saddle else 0.0)
        assert float(loss) == pytest.approx(1.0 if at_saddle else 0.0, abs=1e-9)


def test_many_descents_are_those_of_torch():
    network = FlatNetwork((2, 3, 1))
    x = torch.tensor([[0.0, 1.0], [1.0, -1.0]])
    starts = network.draw(2, torch.Generator().manual_seed(0))

    def loss(places: torch.Tensor) -> torch.Tensor:
        return network.outputs(places, x).squeeze(-1).sub(1).square().mean(-1)

    first, last = descend(loss, starts, 20, 0.05, 0.9, keep=20)
    assert torch.equal(first, starts)
    for start, end in zip(starts, last, strict=True):
        place = start.clone().requires_grad_()
        optimizer = torch.optim.SGD([place], lr=0.05, momentum=0.9)
        for _ in range(20):
            optimizer.zero_grad()
            loss(place).backward()
            optimizer.step()
        torch.testing.assert_close(end, place.detach())


def test_a_flat_network_is_that_of_torch():
    network = FlatNetwork((3, 4, 2))
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    place = torch.cat([p.detach().flatten() for p in model.parameters()])
    x = torch.ones(5, 3).cumsum(0)
    torch.testing.assert_close(network.outputs(place, x), model(x).detach())
    both = network.outputs(torch.stack([place, 2 * place]), x)
    torch.testing.assert_close(both[0], model(x).detach())
    drawn = network.draw(50, torch.Generator().manual_seed(0))
    assert drawn.shape == (50, network.size) == (50, 26)
    assert float(drawn[:, :12].abs().max()) == pytest.approx(3**-0.5, rel=0.02)
    assert float(drawn[:, 16:].abs().max()) == pytest.approx(0.5, rel=0.03)


def test_ranks_share_ties():
    assert _ranks(np.array([3.0, 1.0, 3.0, 9.0])).tolist() == [2.5, 1.0, 2.5, 4.0]
