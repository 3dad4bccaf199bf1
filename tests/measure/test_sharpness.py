"""Sharpness against dense eigenvalues in float64, for every rule, and against what the optimizer really does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.measure.networks import attention_step, batch, conv_step, dense, recurrent_step, tanh_step, train
from tests.measure.reference import SGD, ModuleStep, dense_hessian, top
from unstuck.measure import Evaluation, NotMeasurable, sharpness
from unstuck.measure.step import UpdateRule

WITHIN = 0.01


@pytest.mark.parametrize("make", [tanh_step, conv_step, lambda: attention_step(False), recurrent_step])
def test_within_one_per_cent_of_the_dense_eigenvalue(make) -> None:
    step = make()
    found = sharpness.measure(Evaluation(step))
    truth = top(dense_hessian(step))
    assert found["largest"] == pytest.approx(truth, rel=WITHIN)
    assert found["largest"] <= truth * (1 + 1e-4)
    assert found["products"] <= 7
    assert step.calls == 1, "one gradient is kept for all products"


def test_an_earlier_eigenvector_saves_products() -> None:
    step = tanh_step()
    cold = Evaluation(step)
    first = sharpness.measure(cold)
    second = sharpness.measure(Evaluation(step, cold.leading))
    truth = top(dense_hessian(step))
    assert second["products"] < first["products"]
    assert second["largest"] == pytest.approx(truth, rel=WITHIN)


def test_an_eigenvector_of_another_network_is_not_used() -> None:
    assert sharpness.measure(Evaluation(tanh_step(), torch.ones(3))) == sharpness.measure(Evaluation(tanh_step()))


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (SGD, 2 / 0.1),
        (replace(SGD, momentum=0.9), 3.8 / 0.1),
        (replace(SGD, momentum=0.9, nesterov=True), 3.8 / 2.8 / 0.1),
        (replace(SGD, optimizer="Adam", family="adam", beta1=0.9), 38 / 0.1),
        (replace(SGD, optimizer="RMSprop", family="rmsprop"), 2 / 0.1),
        (replace(SGD, optimizer="RMSprop", family="rmsprop", momentum=0.5), 3 / 0.1),
    ],
)
def test_limits(rule: UpdateRule, limit: float) -> None:
    found = sharpness.measure(Evaluation(tanh_step(rule=rule)))
    assert found["limit"] == pytest.approx(limit)
    assert found["ratio"] == pytest.approx(found["largest"] / limit)


@pytest.mark.parametrize(
    ("kind", "options", "family"),
    [
        (torch.optim.SGD, {}, "sgd"),
        (torch.optim.SGD, {"momentum": 0.9}, "sgd"),
        (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, "sgd"),
        (torch.optim.Adam, {"betas": (0.9, 0.999)}, "adam"),
        (torch.optim.RMSprop, {"alpha": 0.999}, "rmsprop"),
        (torch.optim.RMSprop, {"alpha": 0.999, "momentum": 0.9}, "rmsprop"),
    ],
)
def test_the_limit_is_where_the_optimizer_turns_unstable(kind, options, family) -> None:
    # torch's own optimizer on a parabola: just below its limit it converges, just above it does not.
    rule = replace(
        SGD,
        family=family,
        momentum=options.get("momentum", 0.0),
        nesterov=options.get("nesterov", False),
        beta1=options.get("betas", (0.0,))[0],
    )
    limit = sharpness._limit(rule)[0] / 0.1
    assert _distance_after(kind, options, 0.97 * limit) < 1e-6
    assert _distance_after(kind, options, 1.03 * limit) > 1e-5


def _distance_after(kind, options, curvature: float) -> float:
    """Return the distance to the minimum after many steps from 1e-6, where a second moment of 1 stands still."""
    weight = nn.Parameter(torch.full((1,), 1e-6, dtype=torch.float64))
    optimizer = kind([weight], 0.1, **options)
    for _ in range(1500):
        weight.grad = curvature * weight.detach()
        for key in ("exp_avg_sq", "square_avg"):
            if key in optimizer.state[weight]:
                optimizer.state[weight][key].fill_(1.0)
                optimizer.state[weight]["step"].fill_(1e6)
        if "step" not in optimizer.state[weight] and kind is not torch.optim.SGD:
            _settle(optimizer, weight)
        optimizer.step()
        if weight.detach().abs() > 1e-3:
            break
    return float(weight.detach().abs())


def _settle(optimizer: torch.optim.Optimizer, weight: nn.Parameter) -> None:
    """Give the optimizer the state of a run that has lasted, in which second moments are 1."""
    place = weight.detach().clone()
    optimizer.step()
    with torch.no_grad():
        weight.copy_(place)
    for value in optimizer.state[weight].values():
        value.zero_()
    for key in ("exp_avg_sq", "square_avg"):
        if key in optimizer.state[weight]:
            optimizer.state[weight][key].fill_(1.0)
    optimizer.state[weight]["step"].fill_(1e6)


def test_adam_is_measured_in_its_own_metric() -> None:
    inputs, labels = batch(40, 6)
    model = dense(nn.Tanh)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    second = [optimizer.state[param]["exp_avg_sq"] / (1 - 0.999**20) for param in model.parameters()]
    preconditioner = [(1 - 0.9**20) * (moment.sqrt() + 1e-8) for moment in second]
    rule = UpdateRule("Adam", "adam", [0.01] * 6, 0.0, False, 0.9, [], False, preconditioner)
    step = ModuleStep(model, F.cross_entropy, inputs, labels, rule)
    found = sharpness.measure(Evaluation(step))
    flat = torch.cat([part.reshape(-1) for part in preconditioner]).double()
    truth = float(torch.linalg.eigvals(dense_hessian(step) / flat[:, None]).real.max())
    assert found["preconditioned"]
    assert found["largest"] == pytest.approx(truth, rel=0.02)
    assert abs(found["largest"] - truth) <= found["residual"]


def test_learning_rates_that_differ_between_groups() -> None:
    rates = [0.1, 0.1, 0.3, 0.3, 0.0, 0.02]
    step = tanh_step(rule=replace(SGD, lr=rates))
    flat = torch.cat([torch.full((param.numel(),), rate) for param, rate in zip(step.params, rates, strict=True)])
    truth = float(torch.linalg.eigvals(flat[:, None].double() * dense_hessian(step)).real.max())
    found = sharpness.measure(Evaluation(step))
    assert found["ratio"] == pytest.approx(truth / 2, rel=WITHIN)
    assert found["limit"] == pytest.approx(20)


@pytest.mark.parametrize("decoupled", [False, True])
def test_coupled_decay_is_part_of_the_objective(decoupled: bool) -> None:
    decay = [0.5, 0.0, 0.1, 0.0, 2.0, 0.0]
    step = tanh_step(rule=replace(SGD, decoupled=decoupled), weight_decay=decay)
    found = sharpness.measure(Evaluation(step))["largest"]
    hessian = dense_hessian(step)
    if not decoupled:
        hessian = hessian + torch.diag(_per_element(step, decay))
    assert found == pytest.approx(top(hessian), rel=WITHIN)


def _per_element(step: ModuleStep, values: list[float]) -> Tensor:
    parts = zip(step.params, values, strict=True)
    return torch.cat([torch.full((param.numel(),), value, dtype=torch.float64) for param, value in parts])


def test_fused_attention_is_differentiated_on_plain_kernels() -> None:
    found = sharpness.measure(Evaluation(attention_step(fused=True)))
    assert found["products_by"] == "autograd on plain kernels"
    assert found["largest"] == pytest.approx(top(dense_hessian(attention_step(fused=False))), rel=WITHIN)


class Once(torch.autograd.Function):
    """A tanh whose author wrote a first derivative only."""

    @staticmethod
    def forward(ctx, inputs: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        output = inputs.tanh()
        ctx.save_for_backward(output)
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return gradient * (1 - ctx.saved_tensors[0] ** 2)


class OnceTanh(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return Once.apply(inputs)


def test_differences_stand_in_where_there_is_no_second_derivative() -> None:
    inputs, labels = batch(40, 6)
    model = train(dense(OnceTanh), inputs, labels, 30)
    found = sharpness.measure(Evaluation(ModuleStep(model, F.cross_entropy, inputs, labels)))
    assert found["products_by"] == "differences"
    assert found["largest"] == pytest.approx(top(dense_hessian(tanh_step())), rel=WITHIN)


class Twice(Once):
    """A tanh with a first derivative that can be differentiated again."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return gradient * (1 - ctx.saved_tensors[0] ** 2)


class TwiceTanh(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return Twice.apply(inputs)


def test_a_function_of_the_users_own_is_trusted_once_it_was_checked() -> None:
    inputs, labels = batch(40, 6)
    model = train(dense(TwiceTanh), inputs, labels, 30)
    step = ModuleStep(model, F.cross_entropy, inputs, labels)
    found = sharpness.measure(Evaluation(step))
    assert found["products_by"] == "autograd"
    assert step.calls == 3, "one gradient that is kept, two for the check"


def test_reasons() -> None:
    with pytest.raises(NotMeasurable, match="no stability limit is known for LBFGS"):
        sharpness.measure(Evaluation(tanh_step(rule=replace(SGD, optimizer="LBFGS", family="other"))))
    with pytest.raises(NotMeasurable, match="learning rate is 0"):
        sharpness.measure(Evaluation(tanh_step(rule=replace(SGD, lr=[0.0] * 6))))
