"""Targets as another loss wants them: class numbers as one-hot rows and back, -1 and 1 as 0 and 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from unstuck.trials.inside.losses import same_but_ones


def converted(loss: str, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return outputs and targets as a loss takes them, None where they do not fit it.

    Args:
        loss: Name of the loss in ``torch.nn.functional``.
        output: The outputs.
        target: The targets of the loss that the program calls; the same object comes back where it fits as it is.
    """
    numbered = _class_numbers(output, target)
    if loss == "cross_entropy":
        if output.dim() < 2 or output.shape[1] < 2:
            return None
        if numbered is not None:
            return output, numbered
        return (output, _probabilities(output, target)) if _sums_to_one(output, target) else None
    if target.shape == output.shape:
        found = target if target.is_floating_point() else target.to(output.dtype)
    elif same_but_ones(output, target):
        found = target.reshape(output.shape).to(output.dtype)
    elif numbered is not None and bool(((numbered >= 0) & (numbered < output.shape[1])).all()):
        found = F.one_hot(numbered, output.shape[1]).movedim(-1, 1).to(output.dtype)
    else:
        return None
    return (output, found) if loss != "binary_cross_entropy_with_logits" else _yes_or_no(output, found)


def _class_numbers(output: Tensor, target: Tensor) -> Tensor | None:
    """Return targets as class numbers, None where they are none: whole, and each the number of an output."""
    shape = (*output.shape[:1], *output.shape[2:])
    if output.dim() < 2 or output.shape[1] < 2 or target.numel() != output.numel() // output.shape[1]:
        return None
    if not same_but_ones(target, output[:, 0]):
        return None
    if not target.is_floating_point():
        return target if target.shape == shape and target.dtype == torch.int64 else target.reshape(shape).long()
    whole = bool(((target == target.round()) & (target >= 0) & (target < output.shape[1])).all())
    return target.reshape(shape).long() if whole else None


def _sums_to_one(output: Tensor, target: Tensor) -> bool:
    if target.shape != output.shape:
        return False
    sums = target.sum(1)
    return bool((target >= 0).all()) and bool(torch.isclose(sums.float(), torch.ones(()), atol=1e-3).all())


def _probabilities(output: Tensor, target: Tensor) -> Tensor:
    return target if target.dtype == output.dtype else target.to(output.dtype)


def _yes_or_no(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor] | None:
    low, high = float(target.min()), float(target.max())
    if high > 1 or low < -1:
        return None
    if low >= 0:
        return output, target
    return (output, target.clamp(min=0)) if bool((target.abs() == 1).all()) else None
