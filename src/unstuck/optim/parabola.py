"""The arithmetic of Quickprop: a step for every weight from two slopes and the step between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

_Tensors: TypeAlias = tuple[Tensor, ...] | list[Tensor]


def update(
    params: Sequence[Tensor],
    gradients: Sequence[Tensor],
    slopes: Sequence[Tensor],
    deltas: Sequence[Tensor],
    *,
    lr: float | Tensor,
    mu: float,
    weight_decay: float,
    maximize: bool,
    differentiable: bool,
) -> None:
    """Step, one tensor after the other. This is the reference of :func:`foreach_update`.

    Args:
        params: Real tensors, changed in place.
        gradients: Their gradients; left as they are.
        slopes: Slopes at the last step, zero before the first; replaced in place by those of this one.
        deltas: The last steps, zero before the first; replaced in place by this one.
        lr: Fahlman's epsilon.
        mu: Highest growth of a step.
        weight_decay: Times the weight, it is added to its slope.
        maximize: Whether to go up.
        differentiable: Whether autograd looks on, so that what it keeps must not change in place.
    """
    for param, gradient, before, last in zip(params, gradients, slopes, deltas, strict=True):
        slope = -gradient if maximize else gradient
        if weight_decay:
            slope = slope.add(param, alpha=weight_decay)
        kept = (before.clone(), last.clone()) if differentiable else (before, last)
        step = _step(slope, *kept, lr, mu)
        param.add_(step)
        before.copy_(slope)
        last.copy_(step)


def _step(slope: Tensor, before: Tensor, last: Tensor, lr: float | Tensor, mu: float) -> Tensor:
    """Return the next step: Fahlman's branches without a branch.

    All slopes are seen along the last step (downhill where there was none): ``ahead`` is how steeply the error still
    falls that way, negative beyond the minimum, and ``behind`` how steeply it fell before the last step. The parabola
    through both has its minimum ``ahead / (behind - ahead)`` of the last step away. A divisor of at least
    ``ahead / mu`` makes that at most ``mu``, which is Fahlman's ``s >= mu / (1 + mu) p``, and keeps it from zero.
    """
    way = last.sign().mul(2).sub(slope.sign()).sign()
    ahead = slope.mul(way).neg()
    behind = before.mul(way).neg().clamp_min(0)
    divisor = torch.maximum(behind.sub(ahead), ahead.div(mu)).clamp_min(_smallest(slope))
    linear = ahead.clamp_min(0).mul(way).mul(lr)
    return ahead.div(divisor).mul(last).add(linear)


def foreach_update(
    params: list[Tensor],
    gradients: list[Tensor],
    slopes: list[Tensor],
    deltas: list[Tensor],
    *,
    lr: float | Tensor,
    mu: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Step all tensors of a device and type at once: the operations of :func:`update` in the same order.

    Args:
        params: Real tensors, changed in place.
        gradients: Their gradients; left as they are.
        slopes: As in :func:`update`.
        deltas: As in :func:`update`.
        lr: Fahlman's epsilon.
        mu: Highest growth of a step.
        weight_decay: Times the weight, it is added to its slope.
        maximize: Whether to go up.
    """
    lists = Optimizer._group_tensors_by_device_and_dtype([params, gradients, slopes, deltas])  # type: ignore[list-item]
    for group, _ in lists.values():
        some, gradient, before, last = cast(list[list[Tensor]], group)
        slope: _Tensors = torch._foreach_neg(gradient) if maximize else gradient
        if weight_decay:
            slope = torch._foreach_add(slope, some, alpha=weight_decay)
        _foreach_step(slope, before, last, lr, mu)
        torch._foreach_add_(some, last)
        torch._foreach_copy_(before, slope)


def _foreach_step(slope: _Tensors, before: _Tensors, last: _Tensors, lr: float | Tensor, mu: float) -> None:
    """Put the next steps in the place of the last ones."""
    way = torch._foreach_sign(last)
    torch._foreach_mul_(way, 2)
    torch._foreach_sub_(way, torch._foreach_sign(slope))
    torch._foreach_sign_(way)
    ahead = torch._foreach_mul(slope, way)
    torch._foreach_neg_(ahead)
    behind = torch._foreach_mul(before, way)
    torch._foreach_neg_(behind)
    torch._foreach_clamp_min_(behind, 0)
    divisor = torch._foreach_sub(behind, ahead)
    torch._foreach_maximum_(divisor, torch._foreach_div(ahead, mu))
    torch._foreach_clamp_min_(divisor, _smallest(slope[0]))
    # Out of place: in place, torch rounds the number to half precision first, where Tensor.mul does not.
    linear = torch._foreach_mul(torch._foreach_mul(torch._foreach_clamp_min(ahead, 0), way), lr)
    torch._foreach_div_(ahead, divisor)
    torch._foreach_mul_(last, ahead)
    torch._foreach_add_(last, linear)


def _smallest(tensor: Tensor) -> float:
    """Return what a divisor is at least: it is smaller only where the slope is zero now and was zero before."""
    return torch.finfo(tensor.dtype).tiny
