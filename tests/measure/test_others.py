"""The smaller measurements: along the update, decay, norms, and where a value stopped being finite."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.measure.networks import batch, dense, tanh_step
from tests.measure.reference import ModuleStep, dense_hessian
from unstuck.measure import Evaluation, NotMeasurable, along_update, decay, norms, not_finite


def parabola(lr: float, weight_decay: float = 0.0) -> ModuleStep:
    """Loss ``w^2`` (curvature 2) at ``w = 1``."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    one = torch.ones(1, 1)
    return ModuleStep(model, lambda output, _: output.square().mean(), one, one, lr=lr, weight_decay=weight_decay)


def test_along_the_update_of_a_parabola() -> None:
    found = along_update.measure(Evaluation(parabola(lr=0.125)))
    assert found["slope"] == pytest.approx(-0.5)
    assert found["curvature"] == pytest.approx(2)
    assert found["bend"] == pytest.approx(0.125)
    assert found["optimum"] == pytest.approx(4)
    assert found["loss_before"] == pytest.approx(1)
    assert found["loss_after"] == pytest.approx(0.5625)
    assert found["scales"] == [0.5, 1, 2, 4, 8, 16]
    assert found["losses"] == pytest.approx([(1 - scale / 4) ** 2 for scale in found["scales"]])


def test_decay_belongs_to_the_objective_along_the_update() -> None:
    # (2 + 2) w^2 / 2 with a gradient of 4: the optimum is at 0, one step of lr 0.25.
    found = along_update.measure(Evaluation(parabola(lr=0.25, weight_decay=2.0)))
    assert found["optimum"] == pytest.approx(1)
    assert found["objective_before"] == pytest.approx(2)
    assert found["loss_before"] == pytest.approx(1)
    assert found["objectives"] == pytest.approx([2 * (1 - scale) ** 2 for scale in found["scales"]], abs=1e-6)


def test_along_the_update_agrees_with_the_dense_hessian() -> None:
    step = tanh_step()
    update = torch.cat([part.flatten() for part in step.updates]).double()
    found = along_update.measure(Evaluation(step))
    assert found["bend"] == pytest.approx(float(update @ dense_hessian(step) @ update), rel=1e-4)


def test_no_optimum_where_the_loss_bends_down() -> None:
    step = parabola(lr=0.1)
    step.criterion = lambda output, _: output.cos().mean()
    found = along_update.measure(Evaluation(step))
    assert found["bend"] < 0
    assert found["optimum"] is None


def test_a_loss_that_is_not_a_number_ends_the_search() -> None:
    step = parabola(lr=0.1)
    step.criterion = lambda output, _: (output - 0.5).log().mean()
    found = along_update.measure(Evaluation(step))
    assert math.isnan(found["losses"][-1])
    assert found["scales"][-1] <= 4


def test_decay_rates() -> None:
    step = tanh_step(weight_decay=[0.02, 0.0] * 3)
    found = decay.measure(Evaluation(step))
    weight, grad = step.params[0].double().flatten(), step.grads[0].double().flatten()
    numbers = found["0"]
    assert numbers["pull"] == pytest.approx(0.02)
    assert numbers["push"] == pytest.approx(float(-(weight @ grad) / (weight @ weight)), rel=1e-4)
    assert numbers["pull_per_step"] == pytest.approx(0.002)
    assert numbers["share"] == pytest.approx(float(0.02 * weight.norm() / grad.norm()), rel=1e-4)
    assert set(found) == {"0", "2", "4"}


def test_the_rates_are_those_of_a_small_step() -> None:
    step = tanh_step(weight_decay=0.05, lr=1e-4)
    numbers = decay.measure(Evaluation(step))["2"]
    own = [2, 3]
    before = sum(float(step.params[i].double().square().sum()) for i in own)
    after = sum(float((step.params[i].double() + step.updates[i].double()).square().sum()) for i in own)
    growth = math.log(after / before) / 2
    assert growth == pytest.approx(numbers["push_per_step"] - numbers["pull_per_step"], rel=0.01)


def test_no_decay_is_said() -> None:
    with pytest.raises(NotMeasurable, match="no weight decay"):
        decay.measure(Evaluation(tanh_step()))


def test_norms_and_parameters_that_no_gradient_reaches() -> None:
    inputs, labels = batch(10, 6)
    model = dense(nn.Tanh)
    model.register_parameter("spare", nn.Parameter(torch.ones(4)))
    step = ModuleStep(model, F.cross_entropy, inputs, labels)
    found = norms.measure(Evaluation(step))
    assert found["no_gradient"] == ["spare"]
    assert found["no_gradient_count"] == 1
    for key, parts in (("weight", step.params), ("gradient", step.grads), ("update", step.updates)):
        assert found[key] == pytest.approx(float(torch.cat([part.flatten() for part in parts]).norm()))
    pairs = [(p, u) for p, u in zip(step.params, step.updates, strict=True) if p.dim() > 1]
    ratios = torch.stack([u.norm() / p.norm() for p, u in pairs])
    assert found["typical_ratio"] == pytest.approx(float(ratios.quantile(0.5)), rel=1e-5)


def relu_step() -> ModuleStep:
    inputs, labels = batch(10, 6)
    return ModuleStep(dense(nn.ReLU), F.cross_entropy, inputs, labels)


def test_all_is_finite() -> None:
    found = not_finite.measure(Evaluation(relu_step()))
    assert found["where"] is None
    assert found["kind"] is None
    assert found["loss_finite"]


def test_a_bad_input_is_to_blame() -> None:
    step = relu_step()
    step.inputs[3, 2] = math.inf
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["layer"], found["kind"]) == ("input", "0", "inf")
    assert found["share"] == pytest.approx(1 / 60)
    assert found["parameters_finite"]


def test_a_bad_parameter_is_to_blame() -> None:
    step = relu_step()
    step.params[2][0, 0] = math.nan
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["parameter"], found["kind"]) == ("parameter", "2.weight", "nan")
    assert not found["parameters_finite"]


def test_a_layer_that_overflows_is_to_blame() -> None:
    step = relu_step()
    step.params[2].fill_(1e38)
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["layer"], found["kind"]) == ("layer", "2", "inf")


def test_a_loss_that_fails_on_good_outputs_is_to_blame() -> None:
    step = relu_step()
    step.criterion = lambda output, _: (output * 0).sum().log()
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["kind"], found["loss_finite"]) == ("loss", "inf", False)


def test_a_gradient_that_fails_on_a_good_loss_is_to_blame() -> None:
    # The slope of the root is infinite at 0, where the loss itself is fine.
    inputs, labels = batch(10, 6)
    step = ModuleStep(dense(nn.ReLU), lambda output, _: (output * 0).abs().sqrt().mean(), inputs, labels)
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["layer"], found["kind"]) == ("backward", "4", "nan")
    assert found["loss_finite"]


@pytest.mark.parametrize(("attribute", "where"), [("real_grads", "used_gradient"), ("updates", "update")])
def test_what_comes_after_the_gradient_is_to_blame(attribute: str, where: str) -> None:
    step = relu_step()
    getattr(step, attribute)[1][0] = math.nan
    found = not_finite.measure(Evaluation(step))
    assert (found["where"], found["parameter"]) == (where, "0.bias")
