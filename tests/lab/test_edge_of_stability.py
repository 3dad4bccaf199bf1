"""The sharpness against dense Hessians, and a bowl on which the limit of each optimizer is known."""

from __future__ import annotations

import pytest
import torch

from unstuck.lab import edge_training
from unstuck.lab.edge_training import Trainer, _root, measure, optimizers, train
from unstuck.lab.flat_network import FlatNetwork
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.lanczos import random_direction


def _loss():
    network = FlatNetwork((3, 4, 2))
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    place = network.draw(1, torch.Generator().manual_seed(2), torch.float64)[0]
    return lambda p: network.outputs(p, x).square().sum(1).mean() / 2 - network.outputs(p, x).sum() / 9, place


def test_the_sharpness_is_the_largest_eigenvalue():
    loss, place = _loss()
    generator = torch.Generator().manual_seed(0)
    start = random_direction(place, generator)
    dense = torch.autograd.functional.hessian(loss, place)
    value, vector = measure(loss, place, None, start, generator)
    assert value == pytest.approx(float(torch.linalg.eigvalsh(dense)[-1]), rel=2e-3)
    root = torch.linspace(0.1, 3.0, len(place), dtype=torch.float64)
    value, vector = measure(loss, place, root, start, generator)
    assert value == pytest.approx(float(torch.linalg.eigvalsh(root[:, None] * dense * root)[-1]), rel=2e-3)
    assert float(vector.norm()) == pytest.approx(1.0)


def test_the_preconditioner_is_that_of_adam():
    place = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([place], lr=0.1, betas=(0.9, 0.99), eps=1e-7)
    gradient = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for _ in range(3):
        place.grad = gradient.clone()
        optimizer.step()
    # Of a gradient that does not change, v corrected is its square.
    expected = ((1 - 0.9**3) * (gradient.abs() + 1e-7)) ** -0.5
    torch.testing.assert_close(_root(optimizer, place), expected)


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_quadratic_diverges_just_above_the_limit(number):
    trainer = optimizers((0.2, 0.3), 1e-3)[number]
    for share, falls in ((0.98, True), (1.02, False)):
        sharpness = share * trainer.limit
        trace = train(trainer, lambda p, s=sharpness: s * p.square().sum() / 2, torch.ones(2), 600, 1000, 0)
        assert (trace.losses[-1] < trace.losses[0]) is falls


def test_a_trace_keeps_its_last_third():
    trainer = Trainer("gd", lambda p: torch.optim.SGD(p, lr=0.1), 20.0, "2 / rate", "")
    start = torch.ones(2)
    trace = train(trainer, lambda p: 3 * p[0] ** 2 / 2 + p[1] ** 2 / 2, start, 9, 1, 0)
    assert len(trace.losses) == 10
    assert len(trace.tail(20.0)) == 3
    assert trace.tail(20.0).tolist() == pytest.approx([0.15] * 3)
    assert start.tolist() == [1.0, 1.0]


def test_a_point_that_cannot_be_measured_is_left_out_unless_the_training_is_lost(monkeypatch: pytest.MonkeyPatch):
    loss, place = _loss()
    real, calls = measure, []

    def sometimes(*given):
        calls.append(given)
        if len(calls) == 2:
            raise NotMeasurable("a product with the Hessian is not finite")
        return real(*given)

    monkeypatch.setattr(edge_training, "measure", sometimes)
    descent = Trainer("descent", lambda p: torch.optim.SGD(p, lr=0.01), 200.0, "", "")
    trace = train(descent, loss, place, 8, 2, 0)
    assert trace.steps == [2, 6, 8]
    assert len(trace.sharpness) == 3
    calls.clear()
    lost = Trainer("lost", lambda p: torch.optim.SGD(p, lr=float("inf")), 1.0, "", "")
    with pytest.raises(NotMeasurable):
        train(lost, loss, place, 8, 2, 0)
