"""Outputs of a network on the scale of its targets, while its gradients are those of standardised targets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.trials.inside.losses import Call
from unstuck.trials.inside.stage import Stage

#: Results of a network that are remembered: several forward passes may precede a loss.
_REMEMBERED = 8


class Outputs:
    """A hook after a network's forward.

    Attributes:
        scale: Mean and deviation of the targets; None until they are known.
    """

    def __init__(self) -> None:
        self.scale: tuple[float, float] | None = None
        # Storages, not tensors: a tensor would keep its whole graph alive.
        self._given: deque[tuple[torch.UntypedStorage, bool]] = deque(maxlen=_REMEMBERED)

    def __call__(self, network: nn.Module, args: Any, result: Any) -> Any:
        """Return the result on the scale of the targets."""
        if not isinstance(result, Tensor) or not result.is_floating_point():
            return result
        scaled = result
        if self.scale is not None:
            mean, std = self.scale
            scaled = result * std + mean
        storage = _storage(scaled)
        if storage is not None:
            self._given.append((storage, self.scale is not None))
        return scaled

    def knows(self, tensor: Tensor) -> bool | None:
        """Return whether a tensor, which is a result or a view of one, is scaled; None where it is another."""
        own = _storage(tensor)
        if own is None:
            return None
        address = own.data_ptr()
        return next((scaled for storage, scaled in reversed(self._given) if storage.data_ptr() == address), None)


def scaled_loss(call: Call, networks: Sequence[Outputs], stage: Stage, kind: str) -> Any:
    """Return a loss with the value that it has, and the gradient that it has on standardised targets.

    Args:
        call: The call of a distance.
        networks: Where outputs can come from.
        stage: The hook points.
        kind: The remedy's.
    """
    if not (torch.is_grad_enabled() and call.input.requires_grad):
        return call.compute(call.input, call.target)
    for network in networks:
        is_scaled = network.knows(call.input)
        if is_scaled is None:
            continue
        network.scale = network.scale or _statistics(call.target)
        if network.scale is None:
            break
        mean, std = network.scale
        output = call.input if is_scaled else call.input * std + mean
        stage.did(kind)
        small = call.compute((output - mean) / std, (call.target - mean) / std)
        return small + (call.compute(output.detach(), call.target) - small).detach()
    return call.compute(call.input, call.target)


def _storage(tensor: Tensor) -> torch.UntypedStorage | None:
    """Return the memory of a tensor, None where it has none of its own: sparse tensors, wrappers."""
    try:
        storage = tensor.untyped_storage()
        storage.data_ptr()
    except (RuntimeError, NotImplementedError):
        return None
    return storage


def _statistics(target: Tensor) -> tuple[float, float] | None:
    """Return mean and deviation of targets, None where they have no deviation."""
    numbers = target.detach().double()
    mean, std = float(numbers.mean()), float(numbers.std(correction=0))
    return (mean, std) if 1e-12 * abs(mean) < std < float("inf") else None
