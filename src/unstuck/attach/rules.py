"""Reading an optimizer's update rule: hyper-parameters per tensor, and the preconditioner in its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.measure.step import Family, UpdateRule

_FAMILIES: dict[str, Family] = {
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adam",
    "NAdam": "adam",
    "RAdam": "other",
    "RMSprop": "rmsprop",
}


def read_rule(optimizer: Optimizer, chosen: Sequence[int]) -> UpdateRule:
    """Return the rule by which an optimizer made its last step.

    Args:
        optimizer: The optimizer, right after its step.
        chosen: Which of its parameter tensors, by their position over all groups.

    Returns:
        The rule for the chosen tensors; the family is ``other`` for optimizers whose stability limit is not known.
    """
    entries = [(group, p) for group in optimizer.param_groups for p in group["params"]]
    entries = [entries[i] for i in chosen]
    name = next((c.__name__ for c in type(optimizer).__mro__ if c.__name__ in _FAMILIES), type(optimizer).__name__)
    family = _FAMILIES.get(name, "other")
    first = entries[0][0] if entries else optimizer.param_groups[0]
    preconditioner = _preconditioner(optimizer, entries, family)
    if preconditioner is None and family in ("adam", "rmsprop"):
        family = "other"
    return UpdateRule(
        optimizer=type(optimizer).__name__,
        family=family,
        lr=[number(group.get("lr", 0.0)) for group, _ in entries],
        momentum=number(first.get("momentum", 0.0) or 0.0),
        nesterov=bool(first.get("nesterov", False)),
        beta1=number(first["betas"][0]) if family == "adam" else 0.0,
        weight_decay=[number(group.get("weight_decay", 0.0) or 0.0) for group, _ in entries],
        decoupled=name == "AdamW" or bool(first.get("decoupled_weight_decay", False)),
        preconditioner=preconditioner,
    )


def number(value: Any) -> float:
    """Return a hyper-parameter as a float; learning rates may be tensors."""
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def hyper_parameters(group: dict[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters of a group that can be written down: numbers, booleans, strings, tuples of these."""
    shown: dict[str, Any] = {}
    for key, value in group.items():
        if key == "params":
            continue
        if isinstance(value, Tensor) and value.numel() == 1:
            shown[key] = number(value)
        elif value is None or isinstance(value, (bool, int, float, str)):
            shown[key] = value
        elif isinstance(value, (tuple, list)) and all(isinstance(item, (int, float, Tensor)) for item in value):
            shown[key] = [number(item) for item in value]
    return shown


def _preconditioner(
    optimizer: Optimizer, entries: Sequence[tuple[dict[str, Any], Tensor]], family: Family
) -> list[Tensor] | None:
    if family not in ("adam", "rmsprop"):
        return None
    diagonal: list[Tensor] = []
    for group, parameter in entries:
        state = optimizer.state.get(parameter, {})
        if family == "rmsprop":
            second = state.get("square_avg")
            if second is None:
                return None
            if group.get("centered") and "grad_avg" in state:
                second = second - state["grad_avg"] ** 2
            diagonal.append(second.detach().clamp_min(0).sqrt() + group["eps"])
            continue
        second = state.get("max_exp_avg_sq", state.get("exp_avg_sq"))
        if second is None or "step" not in state:
            return None
        steps = number(state["step"])
        beta1, beta2 = (number(beta) for beta in group["betas"])
        corrected = second.detach() / (1 - beta2**steps)
        diagonal.append((1 - beta1**steps) * (corrected.sqrt() + group["eps"]))
    return [d.to(torch.float32) if d.dtype in (torch.float16, torch.bfloat16) else d for d in diagonal]
