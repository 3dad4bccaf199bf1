"""Normalisations that are put in behind layers, as a part of them: of their mode, their state, their optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

#: What the normalisation is called as a child of its layer.
NAME = "unstuck_norm"


def insert(layer: nn.Module, kind: str) -> RemovableHandle:
    """Normalise what a layer gives.

    Args:
        layer: A linear or a convolutional layer.
        kind: ``batch`` or ``layer``.

    Returns:
        What :func:`withdraw` needs.
    """
    weight: Any = layer.weight
    norm = _made(layer, kind).to(weight.device, weight.dtype).train(layer.training)
    layer.add_module(NAME, norm)
    return layer.register_forward_hook(_through)


def withdraw(layer: nn.Module, handle: RemovableHandle) -> None:
    """Take the normalisation of a layer out again."""
    handle.remove()
    del layer._modules[NAME]


def train(layers: Sequence[nn.Module], optimizers: Sequence[Optimizer]) -> bool:
    """Let the normalisations be trained like the weights of their layers.

    Args:
        layers: Layers that have one.
        optimizers: All optimizers so far; a later one gets them with the parameters of its network.

    Returns:
        Whether that is possible: not if an optimizer has made its state, which would lack theirs.
    """
    plan: list[tuple[dict[str, Any], list[nn.Parameter]]] = []
    for layer in layers:
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                if any(p is layer.weight for p in group["params"]):
                    if optimizer.state:
                        return False
                    plan.append((group, list(layer._modules[NAME].parameters())))  # type: ignore[union-attr]
    for group, parameters in plan:
        group["params"].extend(parameters)  # a group of their own would be unknown to schedulers
    return True


def _made(layer: nn.Module, kind: str) -> nn.Module:
    if isinstance(layer, _ConvNd):
        makers = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
        channels = layer.out_channels
        return makers[len(layer.kernel_size)](channels) if kind == "batch" else nn.GroupNorm(1, channels)
    units: Any = layer.out_features
    return nn.BatchNorm1d(units) if kind == "batch" else nn.LayerNorm(units)


def _through(layer: nn.Module, args: Any, result: Tensor) -> Tensor:
    """Pass what a layer gives through its normalisation. A function of the module's, so that it can be saved."""
    norm: Any = layer._modules[NAME]
    if isinstance(norm, nn.BatchNorm1d) and isinstance(layer, nn.Linear) and result.dim() != 2:
        flat: Tensor = norm(result.flatten(0, -2))  # every position is an example
        return flat.view_as(result)
    normed: Tensor = norm(result)
    return normed
