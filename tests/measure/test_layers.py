"""Layers' numbers against the definitions, written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.measure.networks import batch, conv_step, dense, tanh_step
from tests.measure.reference import ModuleStep
from unstuck.measure import Evaluation, layers
from unstuck.measure.step import LayerTrace, Trace


def sigmoid_step() -> ModuleStep:
    inputs, labels = batch(40, 6)
    return ModuleStep(dense(nn.Sigmoid, (6, 7, 5, 3)), F.cross_entropy, inputs, labels)


@pytest.mark.parametrize("make", [sigmoid_step, tanh_step, conv_step])
def test_delta_is_the_gradient_of_the_bias(make) -> None:
    step = make()
    found = layers.measure(Evaluation(step))
    assert list(found) == [name.removesuffix(".weight") for name in step.names if name.endswith("weight")]
    for name, numbers in found.items():
        bias = step.grads[step.names.index(f"{name}.bias")]
        assert numbers["delta"] == pytest.approx(float(bias.norm()), rel=1e-4)
        assert numbers["delta_units"] == pytest.approx(bias.abs().tolist(), rel=1e-3, abs=1e-7)
        assert numbers["units"] == len(bias)


def test_factors_by_hand() -> None:
    step = sigmoid_step()
    found = layers.measure(Evaluation(step))
    weights = [param.double() for param in step.params]
    inputs = step.inputs.double()
    first = inputs @ weights[0].T + weights[1]
    second = first.sigmoid() @ weights[2].T + weights[3]
    output = second.sigmoid() @ weights[4].T + weights[5]
    signal = (output.softmax(1) - F.one_hot(step.targets, 3)) / len(inputs)
    for name, pre, weight in (("2", second, weights[4]), ("0", first, weights[2])):
        behind = signal @ weight
        slope = pre.sigmoid() * (1 - pre.sigmoid())
        assert found[name]["weight_factor"] == pytest.approx(float(behind.norm() / signal.norm()), rel=1e-4)
        signal = behind * slope
        assert found[name]["slope_factor"] == pytest.approx(float(signal.norm() / behind.norm()), rel=1e-4)
        assert found[name]["slope"] == pytest.approx(float(slope.square().mean().sqrt() / 0.25), rel=1e-4)
        assert found[name]["pre_mean"] == pytest.approx(float(pre.mean()), rel=1e-3, abs=1e-6)
        assert found[name]["pre_std"] == pytest.approx(float(pre.std(correction=0)), rel=1e-4)
        spread = pre.std(0, correction=0).square().mean().sqrt()
        assert found[name]["spread"] == pytest.approx(float(spread), rel=1e-4)
    assert found["4"]["weight_factor"] is None
    assert found["4"]["slope_factor"] is None


def test_norms_of_the_parameters() -> None:
    step = sigmoid_step()
    numbers = layers.measure(Evaluation(step))["0"]
    for key, parts in (("weight", step.params), ("grad", step.grads), ("update", step.updates)):
        assert numbers[key] == pytest.approx(float(torch.cat([part.flatten() for part in parts[:2]]).norm()))
    assert numbers["update_ratio"] == pytest.approx(numbers["update"] / numbers["weight"])


def test_saturation() -> None:
    step = sigmoid_step()
    numbers = layers.measure(Evaluation(step))["0"]
    assert numbers["saturated"] == 0
    step.params[0] *= 100
    output = (step.inputs @ step.params[0].T + step.params[1]).sigmoid()
    share = float(((output < 0.05) | (output > 0.95)).float().mean())
    assert share > 0.5
    numbers = layers.measure(Evaluation(step))["0"]
    assert numbers["saturated"] == pytest.approx(share)
    assert numbers["slope"] < 0.5
    assert numbers["dead"] is None


def test_dead_units() -> None:
    inputs, labels = batch(40, 6)
    model = dense(nn.ReLU, (6, 8, 3))
    with torch.no_grad():
        model[0].bias[:3] = -100
    numbers = layers.measure(Evaluation(ModuleStep(model, F.cross_entropy, inputs, labels)))
    assert numbers["0"]["dead"] == pytest.approx(3 / 8)
    assert numbers["0"]["saturated"] is None
    assert numbers["2"]["dead"] is None


def test_leaky_units_are_not_dead() -> None:
    inputs, labels = batch(40, 6)
    step = ModuleStep(dense(nn.LeakyReLU), F.cross_entropy, inputs, labels)
    assert layers.measure(Evaluation(step))["0"]["dead"] is None


def test_many_units_are_thinned_out() -> None:
    inputs, labels = batch(10, 6)
    numbers = layers.measure(Evaluation(ModuleStep(dense(nn.Tanh, (6, 200, 3)), F.cross_entropy, inputs, labels)))
    assert numbers["0"]["units"] == 200
    assert len(numbers["0"]["delta_units"]) == 64


def test_one_example_has_no_spread() -> None:
    inputs, labels = batch(1, 6)
    numbers = layers.measure(Evaluation(ModuleStep(dense(nn.Tanh), F.cross_entropy, inputs, labels)))
    assert numbers["0"]["spread"] is None
    assert numbers["0"]["delta"] > 0


class Twice(ModuleStep):
    """The same layer applied twice."""

    def trace(self, params: list[Tensor]) -> Trace:
        weight, bias = params
        first = F.linear(self.inputs, weight, bias)
        second = F.linear(first, weight, bias)
        calls = [LayerTrace("0", "linear", [0, 1], None, pre, 1, None) for pre in (first, second)]
        return Trace(self.criterion(second, self.targets), calls)

    def loss(self, params: list[Tensor]) -> Tensor:
        return self.trace(params).loss


def test_a_layer_that_runs_twice_adds_up() -> None:
    inputs, labels = batch(20, 4, classes=4)
    step = Twice(nn.Sequential(nn.Linear(4, 4)), F.cross_entropy, inputs, labels)
    found = layers.measure(Evaluation(step))
    assert list(found) == ["0"]
    assert found["0"]["delta"] == pytest.approx(float(step.grads[1].norm()), rel=1e-4)
