"""The gradient check: finds what is wrong, names it, and lets twenty correct networks pass."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.measure.correct import CORRECT, mlp
from tests.measure.reference import ExactReference, ModuleStep
from unstuck.measure import Evaluation, NotMeasurable, gradient_check
from unstuck.measure.directional import Point
from unstuck.measure.step import CustomCall


def checked(step: ModuleStep) -> dict[str, Any]:
    return gradient_check.measure(Evaluation(step))


class Off(torch.autograd.Function):
    """A linear layer whose gradient with respect to the weight is off by a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.factor = factor
        return F.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return grad @ weight, ctx.factor * grad.T @ x, grad.sum(0), None


class OffLinear(nn.Linear):
    factor = 1.01

    def forward(self, x: Tensor) -> Tensor:
        return Off.apply(x, self.weight, self.bias, self.factor)


def with_layer_off(place: int, factor: float = 1.01, width: int = 30) -> ModuleStep:
    """A network with rectifiers; the gradient of the layer at ``place`` is off."""
    model = mlp(nn.ReLU, sizes=(12, width, width, 4))
    old = model[place]
    model[place] = OffLinear(old.in_features, old.out_features)
    model[place].factor = factor
    return ModuleStep(model, F.cross_entropy, torch.randn(32, 12), torch.randint(4, (32,)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_per_cent_of_one_layer_is_found(place: int, seed: int) -> None:
    torch.manual_seed(seed)
    found = checked(with_layer_off(place))
    assert found["wrong"] == [str(place)]
    assert found["worst"] == str(place)
    assert 1e-3 < found["error"] < 1.01e-2
    assert 1 < found["layers"][str(place)]["ratio"] < 1.0101
    assert {name: entry["ratio"] for name, entry in found["layers"].items() if name != str(place)} == {
        name: None for name in ("0", "2", "4") if name != str(place)
    }


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.999, 100.0])
def test_other_factors_are_found(factor: float) -> None:
    torch.manual_seed(0)
    assert checked(with_layer_off(2, factor))["wrong"] == ["2"]


def test_a_wide_network_with_many_kinks() -> None:
    torch.manual_seed(0)
    found = checked(with_layer_off(2, width=600))
    assert found["wrong"] == ["2"]


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_network_passes(name: str) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        step = CORRECT[name]()
        found = checked(step)
        assert found["wrong"] == []
        assert found["functions"] == []
        assert (found["error"] or 0.0) < 1e-5
        kinks = sum(entry["kink"] for entry in found["layers"].values())
        hidden = sum(entry["error"] is None for entry in found["layers"].values())
        least = 1 + 2 * len(found["layers"])
        assert least <= found["forwards"] <= least + 8 * (kinks + hidden)


def test_twenty_of_them() -> None:
    assert len(CORRECT) >= 20


def test_the_step_is_left_as_it_was() -> None:
    step = with_layer_off(0)
    before = [p.clone() for p in (*step.params, *step.model.parameters())]
    checked(step)
    assert all(torch.equal(a, b) for a, b in zip(before, (*step.params, *step.model.parameters()), strict=True))
    assert step.calls == 0


def test_a_loss_that_is_not_finite_is_not_measurable() -> None:
    step = with_layer_off(0)
    step.inputs[0] = math.nan
    with pytest.raises(NotMeasurable, match="not finite"):
        checked(step)


def test_a_loss_that_is_another_one_every_time_is_not_measurable(monkeypatch: pytest.MonkeyPatch) -> None:
    drift = iter(range(10_000))
    exact = ExactReference.loss
    monkeypatch.setattr(ExactReference, "loss", lambda self, params: exact(self, params) + 1e-3 * next(drift))
    with pytest.raises(NotMeasurable, match="another one at every evaluation"):
        checked(with_layer_off(0))


# ---------------------------------------------------------------------------------------------- one direction


def point(function: Any, *at: Tensor) -> Point:
    return Point(function, [t.double() for t in at], torch.Generator().manual_seed(0))


def test_on_a_kink_the_check_is_made_beside_it() -> None:
    check = point(lambda t: t[0].abs().sum() - 2 * t[0].relu().sum(), torch.zeros(50)).check([0])
    assert not check.wrong
    assert check.error is not None
    assert check.error < 1e-5


def test_a_kink_close_by_is_told_from_a_fault() -> None:
    kinks = torch.linspace(-1e-4, 1e-4, 41).double()

    def function(t: Any) -> Tensor:
        return t[0].sum() + (t[0].sum() - 1 - kinks).relu().sum()

    seen = []
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        at = Point(function, [torch.ones(1, dtype=torch.float64)], generator)
        at.at = [torch.ones(1, dtype=torch.float64) + 3e-6 * (0.1 + seed / 10)]
        at.value, at.gradient = at._derive()
        seen.append(at.check([0]))
    assert not any(check.wrong for check in seen)
    assert any(check.kink for check in seen)


def test_noise_keeps_signs_where_it_must() -> None:
    at = torch.tensor([1e-9, 1.0, 3.0])
    assert not point(lambda t: t[0].log().sum(), at).check([0]).wrong


def test_a_function_that_rounds_to_single_precision_is_not_wrong() -> None:
    class Rounding(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x.float().exp().double()

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad * ctx.saved_tensors[0].exp()

    torch.manual_seed(0)
    for offset in (0.0, 5.0):
        check = point(lambda t: Rounding.apply(t[0]).mean(), torch.randn(100) + offset).check([0])
        assert not check.wrong


def test_a_derivative_that_rounding_hides_is_not_known() -> None:
    check = point(lambda t: 1e3 + 1e-12 * t[0].square().sum(), torch.ones(5)).check([0])
    assert check.error is None
    assert not check.wrong


def test_a_direction_leans_towards_the_gradient_of_every_tensor() -> None:
    at = point(lambda t: (t[0] * 100).sum() + t[1].square().sum() * 1e-3, torch.ones(1000), torch.ones(3))
    direction = at.direction([0, 1])
    assert float(sum(d.square().sum() for d in direction)) == pytest.approx(1)
    for part, gradient in zip(direction, at.gradient, strict=True):
        assert float((part * gradient).sum() / gradient.norm() / part.norm()) > 0.6


# ---------------------------------------------------------------------------------------------- one function


class Exact(ExactReference):
    """The step with calls of custom functions."""

    def __init__(self, calls: list[CustomCall]) -> None:
        self._calls = calls

    def functions(self) -> list[CustomCall]:
        return self._calls


def call(function: Any, inputs: list[Any], varied: list[int]) -> CustomCall:
    names = [f"input{i}" for i in range(len(inputs))]
    return CustomCall("F", "train.py", 3, "train.py", 1, names, inputs, varied, function)


def wrong(*calls: CustomCall) -> list[dict[str, Any]]:
    return gradient_check.wrong_functions(Exact(list(calls)), torch.Generator().manual_seed(0))


def inputs() -> list[Any]:
    torch.manual_seed(0)
    return [torch.randn(8, 5).double(), torch.randn(3, 5).double(), torch.zeros(3).double()]


def test_the_argument_and_the_factor_are_named() -> None:
    (entry,) = wrong(call(Off.apply, [*inputs(), 1.25], [0, 1, 2]))
    assert entry["argument"] == "input1"
    assert entry["factor"] == pytest.approx(1.25)
    assert entry["error"] == pytest.approx(0.2)
    assert not entry["flat"]
    assert not entry["identity"]


def test_a_right_function_is_not_named() -> None:
    assert wrong(call(Off.apply, [*inputs(), 1.0], [0, 1, 2])) == []


def test_an_input_that_no_gradient_flows_to_is_not_looked_at() -> None:
    assert wrong(call(Off.apply, [*inputs(), 1.25], [0, 2])) == []


def test_flat_and_identical_functions_are_told() -> None:
    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.sign()

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad

    class Turn(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return -0.5 * grad

    (sign,), (turn,) = wrong(call(Sign.apply, inputs()[:1], [0])), wrong(call(Turn.apply, inputs()[:1], [0]))
    assert (sign["flat"], sign["factor"]) == (True, None)
    assert (turn["flat"], turn["identity"]) == (False, True)
    assert turn["factor"] == pytest.approx(-0.5)


def test_the_worst_call_of_a_line_speaks_for_it() -> None:
    (entry,) = wrong(*(call(Off.apply, [*inputs(), factor], [0, 1, 2]) for factor in (1.25, 2.0, 1.0)))
    assert entry["factor"] == pytest.approx(2.0)


def test_a_function_that_cannot_be_called_alone_is_passed_over() -> None:
    def fails(_: Tensor) -> Tensor:
        raise RuntimeError("not now")

    assert wrong(call(fails, inputs()[:1], [0])) == []
