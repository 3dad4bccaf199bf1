"""What an activation function does to a signal: its slope, where it is flat, and units that it has shut off."""

from __future__ import annotations

import torch
from torch import Tensor

# Largest slope of each function; where it is not listed, slopes cannot be given as a share of it.
_LARGEST_SLOPE = {
    "sigmoid": 0.25,
    "tanh": 1.0,
    "hardtanh": 1.0,
    "hardsigmoid": 1 / 6,
    "softsign": 1.0,
    "relu": 1.0,
    "relu6": 1.0,
    "leaky_relu": 1.0,
    "rrelu": 1.0,
    "prelu": 1.0,
    "elu": 1.0,
    "celu": 1.0,
    "selu": 1.7581,
    "gelu": 1.1290,
    "silu": 1.0998,
    "mish": 1.0885,
    "hardswish": 1.5,
    "softplus": 1.0,
    "logsigmoid": 1.0,
    "tanhshrink": 1.0,
}
_BOUNDED = frozenset({"sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign"})
_RECTIFIERS = frozenset({"relu", "relu6"})
_FLAT = 0.1  # share of the largest slope below which a bounded activation counts as flat; |tanh| > 0.95 is 0.0975


def relative_slope(kind: str, slope: Tensor | None) -> Tensor | None:
    """Return the root mean square of ``slope`` as a share of the function's largest slope; None where unknown."""
    largest = _LARGEST_SLOPE.get(kind)
    if slope is None or largest is None:
        return None
    return slope.to(torch.promote_types(slope.dtype, torch.float32)).square().mean().sqrt() / largest


def bounded_share(kind: str, output: Tensor, slope: Tensor | None) -> Tensor | None:
    """Return the share of a bounded activation's outputs that lie where it is flat.

    Args:
        kind: The function.
        output: Its output.
        slope: Its slope at every element, if known.

    Returns:
        The share of sigmoids outside 0.05 to 0.95, of tanhs beyond 0.95 in size, of others with less than a tenth of
        their largest slope; None for functions that are not bounded.
    """
    if kind == "sigmoid":
        flat = (output - 0.5).abs() > 0.45
    elif kind == "tanh":
        flat = output.abs() > 0.95
    elif kind in _BOUNDED and slope is not None:
        flat = slope < _FLAT * _LARGEST_SLOPE[kind]
    else:
        return None
    return flat.float().mean()


def dead_units(kind: str, output: Tensor, unit_dim: int) -> Tensor | None:
    """Return, for every unit of a rectifier, whether it gives 0 for every example and position; None for others."""
    if kind not in _RECTIFIERS or output.dim() == 0:
        return None
    others = [dim for dim in range(output.dim()) if dim != unit_dim]
    silent = output == 0
    return (~silent).sum(others) == 0 if others else silent
