"""Bring many small tensors to the host in one transfer, so that a device is waited for once and not once per number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def fetch(tree: Any) -> Any:
    """Return ``tree`` with every tensor turned into a float (0 dimensions) or a list of floats (1 dimension).

    Args:
        tree: Nested dictionaries whose values are tensors or anything else, which stays as it is.

    Returns:
        The same nest of new dictionaries.
    """
    tensors: list[Tensor] = []
    _collect(tree, tensors)
    values: dict[int, list[float]] = {}
    by_device: dict[torch.device, list[Tensor]] = {}
    for tensor in tensors:
        by_device.setdefault(tensor.device, []).append(tensor)
    for group in by_device.values():
        everything = iter(torch.cat([_real(tensor.detach()).reshape(-1) for tensor in group]).tolist())
        for tensor in group:
            values[id(tensor)] = [float(next(everything)) for _ in range(tensor.numel())]
    return _replace(tree, values)


def _real(tensor: Tensor) -> Tensor:
    """Return the sizes of complex numbers, other numbers as they are."""
    return tensor.abs() if tensor.is_complex() else tensor


def _collect(tree: Any, into: list[Tensor]) -> None:
    if isinstance(tree, Tensor):
        into.append(tree)
    elif isinstance(tree, dict):
        for item in tree.values():
            _collect(item, into)


def _replace(tree: Any, values: dict[int, list[float]]) -> Any:
    if isinstance(tree, Tensor):
        found = values[id(tree)]
        return found if tree.dim() else found[0]
    if isinstance(tree, dict):
        return {key: _replace(item, values) for key, item in tree.items()}
    return tree
