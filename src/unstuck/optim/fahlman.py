"""Two changes to back-propagation that Fahlman's study found to help beside Quickprop: both keep errors from fading.

Source: S. E. Fahlman, "An empirical study of learning speed in back-propagation networks", CMU-CS-88-162, 1988; the
constants are those of his program.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

_NEARLY_ONE = 0.9999999  # the error's slope stays as it is beyond here
_STEEPEST = 17.0  # about log((1 + 0.9999999) / (1 - 0.9999999)) = 16.8


def offset_sigmoid(input: Tensor, offset: float = 0.1) -> Tensor:
    """Return the sigmoid, with a derivative that never vanishes.

    The derivative ``y (1 - y)`` of a sigmoid is near zero for a unit that is firmly on or off, also where it is wrong,
    and no error gets through. Here autograd gets ``y (1 - y) + offset``, on purpose not the derivative of the function.

    Args:
        input: Sums of the units' inputs, of any shape.
        offset: What is added to the derivative.

    Returns:
        ``1 / (1 + exp(-input))``, of the same shape. Take 0.5 off for Fahlman's symmetric units.
    """
    output: Tensor = _OffsetSigmoid.apply(input, offset)  # type: ignore[no-untyped-call]
    return output


class _OffsetSigmoid(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(input: Tensor, offset: float) -> Tensor:
        return torch.sigmoid(input)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.save_for_backward(output)
        ctx.offset = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (output,) = ctx.saved_tensors
        return gradient * (output * (1 - output) + ctx.offset), None


def atanh_error(output: Tensor, target: Tensor, *, reduction: Literal["none", "mean", "sum"] = "sum") -> Tensor:
    r"""Return the error whose slope grows without bound as an output comes to be all wrong.

    With the difference :math:`d = \text{output} - \text{target}` in (-1, 1),

    .. math::
        E = (1 + d) \log(1 + d) + (1 - d) \log(1 - d), \qquad
        \frac{\partial E}{\partial d} = \log \frac{1 + d}{1 - d} = 2 \operatorname{atanh} d

    which is the squared error for small differences, and as in Fahlman's program grows with slope 17 from 0.9999999 on.

    Args:
        output: Outputs of units whose range has width one.
        target: Wanted outputs, of the same shape.
        reduction: ``sum``, ``mean`` or ``none``, as in torch.

    Returns:
        The error: a scalar, or one per output for ``none``.

    Raises:
        ValueError: The shapes differ, or there is no such reduction.
    """
    if output.shape != target.shape:
        raise ValueError(f"output and target differ in shape: {tuple(output.shape)} and {tuple(target.shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction: none, mean or sum")
    difference = output - target
    inner = difference.clamp(-_NEARLY_ONE, _NEARLY_ONE)
    errors = (1 + inner) * torch.log1p(inner) + (1 - inner) * torch.log1p(-inner)
    errors = errors + _STEEPEST * (difference - inner).abs()
    return errors if reduction == "none" else errors.mean() if reduction == "mean" else errors.sum()
