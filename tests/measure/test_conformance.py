"""What every registered measurement must keep, on every kind of step: a new measurement gets these tests for free."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.measure.networks import attention_step, batch, conv_step, dense, recurrent_step, tanh_step
from tests.measure.reference import ModuleStep
from unstuck.measure import MEASUREMENTS, Evaluation, Measurement, NotMeasurable


def not_finite_step() -> ModuleStep:
    inputs, labels = batch(10, 6)
    inputs[3, 2] = math.nan
    return ModuleStep(dense(nn.ReLU), F.cross_entropy, inputs, labels)


def one_example_step() -> ModuleStep:
    inputs, labels = batch(1, 6)
    return ModuleStep(dense(nn.Sigmoid), F.cross_entropy, inputs, labels)


def linear_step() -> ModuleStep:
    """A loss that is linear in its parameters: no curvature at all."""
    inputs, labels = batch(10, 6)
    return ModuleStep(nn.Sequential(nn.Linear(6, 3)), lambda output, _: output.mean(), inputs, labels)


def unreached_step() -> ModuleStep:
    """A parameter that the loss does not reach, and one example of each class only."""
    model = dense(nn.Tanh)
    model.register_parameter("spare", nn.Parameter(torch.ones(3)))
    inputs, labels = batch(10, 6)
    return ModuleStep(model, F.cross_entropy, inputs, labels, weight_decay=0.1)


def standing_step() -> ModuleStep:
    """A step whose update changed nothing."""
    step = tanh_step()
    step.updates = [torch.zeros_like(update) for update in step.updates]
    return step


STEPS: dict[str, Callable[[], ModuleStep]] = {
    "float32": tanh_step,
    "float64": lambda: tanh_step(torch.float64),
    "bfloat16": lambda: tanh_step(torch.bfloat16),
    "decay": lambda: tanh_step(weight_decay=[0.1, 0.0] * 3),
    "convolution": conv_step,
    "flash attention": attention_step,
    "lstm": recurrent_step,
    "not finite": not_finite_step,
    "one example": one_example_step,
    "linear loss": linear_step,
    "unreached parameter": unreached_step,
    "no update": standing_step,
}


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_a_measurement_gives_json_and_leaves_no_trace(
    measurement: Measurement, make: Callable[[], ModuleStep], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = make()
    if not isinstance(step.model, nn.Sequential):  # the reference traces layers in a Sequential only
        monkeypatch.setattr(step, "trace", lambda _: pytest.skip("no trace"))
    tensors = [*step.params, *step.grads, *step.real_grads, *step.updates, step.inputs, *step.model.parameters()]
    before = [tensor.detach().clone() for tensor in tensors]
    flags = [(tensor.requires_grad, tensor.grad) for tensor in tensors]
    switches = _switches()
    random = torch.get_rng_state()
    assert_json(_result(measurement, step))
    assert torch.equal(torch.get_rng_state(), random)
    assert _switches() == switches
    assert [(tensor.requires_grad, tensor.grad) for tensor in tensors] == flags
    for tensor, value in zip(tensors, before, strict=True):
        assert torch.equal(tensor.detach().view(torch.uint8), value.view(torch.uint8)), "bits were changed"


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_a_measurement_works_where_gradients_are_switched_off(measurement: Measurement) -> None:
    step = tanh_step(weight_decay=0.01)
    expected = _result(measurement, step)
    with torch.no_grad():
        assert _result(measurement, step) == expected


def test_names_are_unique_and_the_cheap_come_first() -> None:
    names = [measurement.name for measurement in MEASUREMENTS]
    cadences = [measurement.cadence for measurement in MEASUREMENTS]
    assert len(set(names)) == len(names)
    assert cadences == sorted(cadences, key=["every", "check", "once", "deep"].index)


def assert_json(value: Any) -> None:
    """Only what JSON holds, once non-finite floats are written as strings."""
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        for item in value.values():
            assert_json(item)
    elif isinstance(value, list):
        for item in value:
            assert_json(item)
    else:
        assert value is None or type(value) in {bool, int, float, str}, type(value)


def _result(measurement: Measurement, step: ModuleStep) -> Any:
    """Return the numbers, or the one clause that says why there are none."""
    try:
        return measurement.function(Evaluation(step))
    except NotMeasurable as error:
        clause = str(error)
    assert clause
    assert not clause.endswith(".")
    return clause


def _switches() -> list[bool]:
    cuda = torch.backends.cuda
    return [
        torch.backends.mkldnn.is_available() and torch._C._get_mkldnn_enabled(),
        torch.backends.cudnn.enabled,
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.math_sdp_enabled(),
        torch.is_grad_enabled(),
    ]
