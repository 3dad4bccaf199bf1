"""The sigmoid with an offset, and the error of the hyperbolic arctangent."""

from __future__ import annotations

import math

import pytest
import torch

from unstuck.optim import atanh_error, offset_sigmoid


def test_the_sigmoid_is_the_sigmoid_and_only_its_derivative_has_the_offset():
    x = torch.tensor([-40.0, -2.0, 0.0, 2.0, 40.0, math.inf], dtype=torch.float64, requires_grad=True)
    y = offset_sigmoid(x)
    assert torch.equal(y, torch.sigmoid(x))
    (gradient,) = torch.autograd.grad(y, x, torch.full_like(y, 3.0))
    torch.testing.assert_close(gradient, 3 * (y * (1 - y) + 0.1))
    torch.testing.assert_close(torch.autograd.grad(offset_sigmoid(x, 0.0).sum(), x)[0], y * (1 - y))


def test_the_sigmoid_works_under_vmap():
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    per_row = torch.func.vmap(torch.func.grad(lambda row: offset_sigmoid(row, 0.1).sum()))(x)
    torch.testing.assert_close(per_row, torch.sigmoid(x) * (1 - torch.sigmoid(x)) + 0.1)


def test_the_slope_of_the_error_is_that_of_fahlmans_program():
    d = torch.tensor([-2.0, -1.0, -0.99, -0.4, 0.0, 1e-3, 0.4, 0.99, 1.0, 2.0], dtype=torch.float64)
    wanted = [math.copysign(17.0, x) if abs(x) > 0.9999999 else math.log((1 + x) / (1 - x)) for x in d.tolist()]
    output = (d + 0.25).requires_grad_()
    (slope,) = torch.autograd.grad(atanh_error(output, torch.full_like(d, 0.25)), output)
    torch.testing.assert_close(slope, torch.tensor(wanted, dtype=torch.float64), rtol=1e-9, atol=1e-12)
    inside = d[(d.abs() < 1)]
    assert torch.autograd.gradcheck(lambda x: atanh_error(x, torch.zeros_like(x)), (inside.requires_grad_(),))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_error_is_that_of_squares_when_small_and_finite_when_all_is_wrong(dtype):
    small, wrong = torch.tensor([0.01], dtype=dtype), torch.tensor([1.0], dtype=dtype)
    zero = torch.zeros(1, dtype=dtype)
    assert float(atanh_error(small, zero)) == pytest.approx(1e-4, rel=1e-3)
    assert float(atanh_error(wrong, zero)) == pytest.approx(2 * math.log(2), rel=1e-4)
    assert float(atanh_error(zero, zero)) == 0.0


def test_reductions_and_wrong_arguments():
    output, target = torch.tensor([[0.1, 0.9]]), torch.tensor([[0.0, 1.0]])
    errors = atanh_error(output, target, reduction="none")
    assert errors.shape == (1, 2)
    assert torch.equal(atanh_error(output, target), errors.sum())
    assert torch.equal(atanh_error(output, target, reduction="mean"), errors.mean())
    with pytest.raises(ValueError, match=r"differ in shape: \(1, 2\) and \(2,\)"):
        atanh_error(output, target[0])
    with pytest.raises(ValueError, match="median is not a valid value for reduction"):
        atanh_error(output, target, reduction="median")
