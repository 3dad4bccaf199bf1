"""The spectrum's ends against dense Hessians, at a saddle, at a minimum and on flat ground."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.measure.networks import batch, conv_step, dense, tanh_step, train
from tests.measure.reference import ModuleStep, dense_hessian
from unstuck.measure import Evaluation, curvature

TAU = 1e-3  # share of the largest eigenvalue from which negative curvature makes a saddle


def ends(step: ModuleStep) -> tuple[float, float]:
    values = torch.linalg.eigvalsh(dense_hessian(step))
    return float(values[0]), float(values[-1])


def saddle() -> ModuleStep:
    """A network at the best constant prediction, its weights next to 0: a strict saddle, as on a plateau."""
    inputs, labels = batch(60, 6)
    model = dense(nn.Sigmoid, (6, 6, 3))
    with torch.no_grad():
        for param in model.parameters():
            param.mul_(1e-3)
        model[-1].bias.copy_(torch.bincount(labels, minlength=3).float().log())
    return ModuleStep(train(model, inputs, labels, 20, lr=0.1), F.cross_entropy, inputs, labels)


def minimum() -> ModuleStep:
    """Least squares with a unique solution, found."""
    inputs, _ = batch(50, 5)
    targets = inputs @ torch.ones(5, 1)
    model = nn.Sequential(nn.Linear(5, 1))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.zero_()
    return ModuleStep(model, F.mse_loss, inputs, targets)


@pytest.mark.parametrize("make", [tanh_step, conv_step, saddle, minimum])
def test_both_ends_agree_with_the_dense_spectrum(make) -> None:
    step = make()
    found = curvature.measure(Evaluation(step))
    smallest, largest = ends(step)
    assert found["largest"] == pytest.approx(largest, rel=1e-3)
    assert found["smallest"] == pytest.approx(smallest, rel=0.1, abs=1e-4 * largest)
    assert found["products"] <= 41
    assert found["noise"] < TAU * largest / 10


def test_a_saddle_shows_negative_curvature_and_a_small_gradient() -> None:
    step = saddle()
    found = curvature.measure(Evaluation(step))
    smallest, largest = ends(step)
    assert smallest < -TAU * largest, "the test's network is at a saddle"
    assert found["smallest"] < -TAU * found["largest"]
    assert found["smallest"] < -10 * found["noise"]
    assert found["gradient_norm"] < 0.02
    _assert_downhill_both_ways(step)


def _assert_downhill_both_ways(step: ModuleStep) -> None:
    """The proof of a saddle: along the negative eigenvector the loss falls on both sides."""
    direction = torch.linalg.eigh(dense_hessian(step))[1][:, 0].float()
    parts = [part.view_as(p) for part, p in zip(direction.split([p.numel() for p in step.params]), step.params)]  # noqa: B905
    losses = [float(step.loss([p + size * d for p, d in zip(step.params, parts, strict=True)])) for size in (-1, 0, 1)]
    assert max(losses[0], losses[2]) < losses[1]


def test_a_minimum_shows_none() -> None:
    found = curvature.measure(Evaluation(minimum()))
    assert found["smallest"] > 0
    assert found["gradient_norm"] < 1e-5


def test_flat_ground_shows_neither() -> None:
    inputs, labels = batch(40, 6)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
        model[2].weight.zero_()
        model[2].bias.copy_(torch.bincount(labels, minlength=3).float().log())
    step = ModuleStep(model, F.cross_entropy, inputs, labels)
    found = curvature.measure(Evaluation(step))
    assert found["smallest"] >= -max(found["noise"], TAU * found["largest"])
    assert found["gradient_norm"] < 1e-6


def test_a_symmetric_saddle_that_the_gradient_does_not_see() -> None:
    # Two equal units: the gradient keeps them equal, and the direction that parts them is the negative one.
    inputs = torch.tensor([[-1.0], [-0.5], [0.5], [1.0]])
    model = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))
    with torch.no_grad():
        for param in model.parameters():
            param.zero_()
    step = ModuleStep(model, F.mse_loss, inputs, inputs)
    found = curvature.measure(Evaluation(step))
    assert found["along_gradient"] is None
    assert found["smallest"] == pytest.approx(ends(step)[0], rel=1e-3)
    assert found["smallest"] < -0.1


def test_along_the_gradient() -> None:
    step = tanh_step()
    gradient = torch.cat([grad.reshape(-1) for grad in step.grads]).double()
    truth = float(gradient @ dense_hessian(step) @ gradient / (gradient @ gradient))
    found = curvature.measure(Evaluation(step))
    assert found["along_gradient"] == pytest.approx(truth, rel=1e-4)
    assert found["gradient_norm"] == pytest.approx(float(gradient.norm()), rel=1e-5)


@pytest.mark.parametrize("decay", [[0.3] * 6, [0.3, 0.0] * 3])
def test_decay_shifts_the_objective_and_not_the_loss(decay: list[float]) -> None:
    step = tanh_step(weight_decay=decay)
    plain = dense_hessian(step)
    parts = zip(step.params, decay, strict=True)
    shift = torch.cat([torch.full((param.numel(),), value, dtype=torch.float64) for param, value in parts])
    found = curvature.measure(Evaluation(step))
    assert found["smallest"] == pytest.approx(float(torch.linalg.eigvalsh(plain + torch.diag(shift))[0]), rel=0.1)
    assert found["raw_smallest"] == pytest.approx(float(torch.linalg.eigvalsh(plain)[0]), rel=0.05)
