"""The network's layers as the record keeps them: name, type, shape, and the line of the program that made each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from unstuck.attach.captured import CapturedStep
from unstuck.attach.modules import Modules, Owners


def describe_layers(
    step: CapturedStep, owners: Owners, parameters: Sequence[Tensor], modules: Modules
) -> list[dict[str, Any]]:
    """Return one entry per layer, in the order in which they ran, as ``unstuck.record.schema`` lists it.

    Args:
        step: A captured step.
        owners: Module of each parameter, by the parameter's id.
        parameters: The optimizer's parameters.
        modules: The program's modules.

    Returns:
        JSON values.
    """
    described: dict[str, dict[str, Any]] = {}
    shapes = dict(zip(step.names, step.params, strict=True))
    all_names = step.all_names
    for layer in step.tape_layers:
        if layer.name in described:
            described[layer.name]["calls"] += 1
        if layer.name in described or not layer.parameters:
            continue
        names = [all_names[i] for i in layer.parameters]
        owner = owners.get(id(parameters[layer.parameters[0]]))
        made = modules.line_of(owner) if owner is not None else None
        line = made or layer.line
        weight = next((shapes[n] for n in names if n in shapes and shapes[n].dim() > 1), None)
        first = weight if weight is not None else next((shapes[n] for n in names if n in shapes), None)
        shape = list(first.shape) if first is not None else []
        described[layer.name] = {
            "name": layer.name,
            "type": type(owner).__name__ if owner is not None else layer.kind,
            "kind": layer.kind,
            "shape": shape,
            "units": step.units_of(layer),
            "activation": layer.activation,
            "parameters": names,
            "calls": 1,
            "file": line.file if line else None,
            "line": line.line if line else None,
        }
    return list(described.values())
