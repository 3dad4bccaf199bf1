"""Inputs of a network standardised with the statistics of its first batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

#: A feature whose deviation is below this share of its mean is constant.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class _Scale:
    """Mean and deviation of each feature of one argument, in a shape that goes with it; and which shape that is."""

    mean: Tensor
    std: Tensor
    dim: int
    dims: int
    features: int

    def of(self, value: Any) -> Any:
        """Return an argument standardised; one of another shape as it is."""
        if not isinstance(value, Tensor) or value.dim() != self.dims or value.shape[self.dim] != self.features:
            return value
        return ((value - self.mean.to(value.device)) / self.std.to(value.device)).to(value.dtype)


class Standardise:
    """A hook before a network's forward. True where it has anything to do.

    Args:
        network: The network.
        args: What it is called with for the first time.
        kwargs: The same, by name.
    """

    def __init__(self, network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        convolves = _convolves(network)
        self._scales: dict[int | str, _Scale] = {}
        given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        for place, value in given:
            scale = _scale(value, convolves, mask=bool(self._scales))
            if scale is not None:
                self._scales[place] = scale

    def __bool__(self) -> bool:
        return bool(self._scales)

    def __call__(
        self, network: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments standardised."""
        scales = self._scales
        changed = tuple(scales[i].of(value) if i in scales else value for i, value in enumerate(args))
        return changed, {name: scales[name].of(value) if name in scales else value for name, value in kwargs.items()}


@torch.no_grad()
def _scale(value: Any, convolves: bool, mask: bool) -> _Scale | None:
    """Return the statistics of an argument, None where it is to stay as it is.

    Args:
        value: The argument.
        convolves: Whether a convolution reads it.
        mask: Whether it is a mask if it is all 0 and 1.
    """
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_nested or value.dim() < 2:
        return None
    if not value.is_floating_point() or value.requires_grad:
        return None  # what requires gradients comes from another network
    if mask and bool(((value == 0) | (value == 1)).all()):
        return None
    dim = 1 if value.dim() > 3 or (value.dim() == 3 and convolves) else value.dim() - 1
    others = [d for d in range(value.dim()) if d != dim]
    numbers = value.float()
    mean, std = numbers.mean(others, keepdim=True), numbers.std(others, correction=0, keepdim=True)
    varies = std > _CONSTANT * mean.abs()
    if not bool(varies.any()):
        return None
    mean, std = torch.where(varies, mean, 0.0), torch.where(varies, std, 1.0)
    return _Scale(mean[0], std[0], dim, value.dim(), value.shape[dim])


def _convolves(network: nn.Module) -> bool:
    """Whether the first layer with a weight is a convolution."""
    first = next((m for m in network.modules() if m._parameters.get("weight") is not None), None)
    return isinstance(first, _ConvNd)
