"""How wrong outputs are: a number that means the same whatever loss is minimised."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from unstuck.trials.inside.losses import BINARY

#: What targets are: classes one-hot in the last dimension; yes or no as 1 or 0, or as 1 or -1; numbers.
_Kind = Literal["one-hot", "binary", "signs", "numbers"]


class Errors:
    """The errors of the calls of loss functions.

    What the targets of a function are is decided at its first call. The variance that squared errors are divided by is
    that of all targets so far, for a batch may be a single one.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._sums: dict[str, _Variance] = {}
        self._middles: dict[str, float] = {}

    def of(self, name: str, output: Tensor, target: Tensor, options: dict[str, Any]) -> Tensor | None:
        """Return the error of outputs: the share of wrong classes, or the squared error over the targets' variance.

        Args:
            name: The loss function, by its name in ``torch.nn.functional``.
            output: The outputs.
            target: The targets.
            options: Its other arguments, by name.

        Returns:
            A tensor of one number; None where the shapes do not fit each other.
        """
        output = output.detach()
        if name in ("cross_entropy", "nll_loss"):
            return _wrong_classes(output, target, options.get("ignore_index", -100))
        if target.numel() != output.numel():
            return None
        target = target.detach().reshape(output.shape).to(torch.float32)
        output = output.to(torch.float32)
        kind = self._kinds.get(name) or self._kinds.setdefault(name, _kind(name, target))
        if kind == "one-hot":
            return (output.argmax(-1) != target.argmax(-1)).float().mean()
        if kind == "signs":
            return ((output > 0) != (target > 0)).float().mean()
        if kind == "binary":
            border = 0.0 if name == "binary_cross_entropy_with_logits" else 0.5
            if name not in self._middles:
                self._middles[name] = _middle(target)
            return ((output > border) != (target > self._middles[name])).float().mean()
        variance = self._sums.setdefault(name, _Variance(target)).after(target)
        return ((output - target) ** 2).mean() / variance


class _Variance:
    """The variance of all targets so far, on their device."""

    def __init__(self, first: Tensor) -> None:
        self._center = first.mean()
        self._count = 0
        self._sum = torch.zeros_like(self._center)
        self._squares = torch.zeros_like(self._center)

    def after(self, targets: Tensor) -> Tensor:
        """Return the variance with a batch more."""
        centered = targets - self._center
        self._count += targets.numel()
        self._sum = self._sum + centered.sum()
        self._squares = self._squares + (centered**2).sum()
        return self._squares / self._count - (self._sum / self._count) ** 2


def _wrong_classes(output: Tensor, target: Tensor, ignored: int) -> Tensor:
    classes = 1 if output.dim() > 1 else 0
    if output.shape[classes] == 1 and target.shape == output.shape:  # one class is none: it can only be meant as yes
        return ((output > 0) != (target > 0.5)).float().mean()
    found = output.argmax(classes)
    if target.shape == output.shape:  # probabilities
        return (found != target.argmax(classes)).float().mean()
    counted = target != ignored
    return ((found != target.reshape(found.shape)) & counted).sum() / counted.sum()


def _middle(target: Tensor) -> float:
    """Return what lies between no and yes. Looks at the values, which waits for the device: once for each function."""
    low, high = float(target.min()), float(target.max())
    return 0.5 if low >= 0 and high <= 1 else (low + high) / 2


def _kind(name: str, target: Tensor) -> _Kind:
    """Return what targets are. Looks at their values, which waits for the device: once for each function."""
    if bool(((target == 0) | (target == 1)).all()):
        last = target.shape[-1] if target.dim() > 1 else 1
        if last > 1 and bool((target.sum(-1) == 1).all()):
            return "one-hot"
        return "binary"
    if name in BINARY:
        return "binary"
    return "signs" if bool((target.abs() == 1).all()) else "numbers"
