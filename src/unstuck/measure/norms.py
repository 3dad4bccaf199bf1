"""Norms over the whole network, and the parameters that no gradient reached."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.evaluation import Evaluation

_NAMED = 64


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Measure the 2-norms of weights, gradients and update over all parameters that the optimizer trains.

    Cost: no gradient; one reading of the four lists of tensors.

    Units: of the parameters for ``weight`` and ``update``; loss per parameter for ``gradient`` and ``used_gradient``.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``weight``, ``gradient`` (of the loss, decay not included), ``used_gradient`` (what the optimizer got, after
        clipping), ``update``, ``update_ratio`` = update / weight (None where the weights are 0), ``typical_ratio``: the
        median of that ratio over the weights of at least two dimensions, each for itself (None where there are none),
        ``no_gradient``: names of parameters whose gradient is exactly 0 (at most 64), and ``no_gradient_count``.
    """
    step = evaluation.step
    weights, updates = norms(step.params), norms(step.updates)
    weight, gradients, update = total(weights), total(norms(step.grads)), total(updates)
    matrices = [i for i, parameter in enumerate(step.params) if parameter.dim() > 1 and weights[i] > 0]
    unreached = [name for name, norm in zip(step.names, norms(step.grads), strict=True) if norm == 0]
    return {
        "weight": weight,
        "gradient": gradients,
        "used_gradient": total(norms(step.real_grads)),
        "update": update,
        "update_ratio": update / weight if weight else None,
        "typical_ratio": statistics.median(updates[i] / weights[i] for i in matrices) if matrices else None,
        "no_gradient": unreached[:_NAMED],
        "no_gradient_count": len(unreached),
    }


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """Return the 2-norm of each tensor, with one transfer from each device."""
    found: list[float] = [0.0] * len(tensors)
    places: dict[torch.device, list[int]] = {}
    for i, tensor in enumerate(tensors):
        if tensor.numel():
            places.setdefault(tensor.device, []).append(i)
    for indices in places.values():
        widest = reduce(torch.promote_types, (tensors[i].dtype for i in indices), torch.float32)
        values = torch.stack(torch._foreach_norm([tensors[i].detach().to(widest) for i in indices]))
        for i, value in zip(indices, values.tolist(), strict=True):
            found[i] = value
    return found


def total(parts: Sequence[float]) -> float:
    """Return the norm of a vector from the norms of its parts; NaN and infinity carry over."""
    return math.sqrt(sum(part * part for part in parts))
