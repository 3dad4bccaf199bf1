"""A learning rate divided by the number of inputs of a unit: Fahlman's split epsilon."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd


def fan_in_groups(model: nn.Module, lr: float) -> list[dict[str, Any]]:
    """Return the parameters of a model in groups whose learning rates are divided by the inputs of their units.

    A unit with many inputs moves far when all its weights step at once; divided by the fan-in, the rate means about the
    same for each. The bias counts as one input, as in Fahlman's program.

    Args:
        model: The model.
        lr: The rate before the division.

    Returns:
        Groups for any optimizer, with a ``lr`` each. Linear and convolutional layers are divided; the parameters of all
        others keep the rate.
    """
    groups: dict[int, dict[str, Any]] = {}
    seen: set[int] = set()
    for module in model.modules():
        inputs = _inputs(module)
        for parameter in module.parameters(recurse=False):
            if id(parameter) in seen:
                continue
            seen.add(id(parameter))
            group = groups.setdefault(inputs, {"params": [], "lr": lr / inputs})
            group["params"].append(parameter)
    return list(groups.values())


def _inputs(module: nn.Module) -> int:
    if not isinstance(module, (nn.Linear, nn.Bilinear, _ConvNd)):
        return 1
    weight = module.weight.transpose(0, 1) if isinstance(module, _ConvTransposeNd) else module.weight
    inputs = weight[0].numel()
    if isinstance(module, _ConvTransposeNd):
        inputs //= module.groups  # its weights are laid out as inputs of all groups by outputs of one
    return inputs + (module.bias is not None)
