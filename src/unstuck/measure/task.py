"""What the loss is asked to do: the kind of targets, what the outputs can be, and whether the two fit together."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import Head

#: What an activation's outputs can be.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sin": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, math.inf),
    "elu": (-1.0, math.inf),
    "log_softmax": (-math.inf, 0.0),
    "logsigmoid": (-math.inf, 0.0),
}
#: Heads that are described at most; a loop over time steps may have hundreds.
_MOST = 8
#: More distinct whole numbers than this are taken for a count or an identifier, not for classes.
_CLASSES = 2000


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return, for every place where outputs meet targets, what both are.

    Costs nothing beside the replay: one pass over outputs and targets.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``heads``, per place: ``kind`` of loss, ``file``, ``line``; ``prediction`` and ``target`` (``shape``, ``min``,
        ``max``, ``mean``, ``std``; of targets also ``kind``, ``distinct``, ``classes``: counts of whole numbers from 0,
        ``labels``: the most that an example has, ``whole``: whether the program cast them from integers);
        ``broadcast``; ``activations``, the last one first; ``batch``, the examples of the step; ``factor`` with which
        a known loss enters the step's; ``error``, the mean squared difference; ``outside``, the
        share of targets that no output can be, and ``unreachable``, their mean squared distance from what outputs can
        be, in variances of the targets; ``single``: whether the outputs are 1 whatever goes in; ``normalised``, the
        mean sum of ``exp(prediction)`` where log-probabilities are wanted; ``sums_to_one``, the dimension of the
        classes and those over which probabilities sum to 1, where it is not among them.

    Raises:
        NotMeasurable: No known loss function was called, and no difference of outputs and data was found.
    """
    heads = evaluation.step.heads
    if not heads:
        raise NotMeasurable("no place was found where outputs are compared with targets")
    factors = {(call.kind, call.file, call.line): call.weight for call in evaluation.step.losses}
    described = [
        {
            **_describe(head),
            "factor": factors.get((head.kind, head.file, head.line)),
            "batch": evaluation.step.batch_size,
        }
        for head in heads[:_MOST]
    ]
    return {"heads": described, "places": len(heads)}


def _describe(head: Head) -> dict[str, Any]:
    outside, unreachable = _beyond(head)
    return {
        "kind": head.kind,
        "file": head.file,
        "line": head.line,
        "prediction": _moments(head.prediction),
        "target": {**_moments(head.target), **_kind(head.target), "whole": head.whole},
        "broadcast": head.broadcast,
        "activations": [
            {"name": link.name, "dim": link.dim, "direct": link.direct, "file": link.file, "line": link.line}
            for link in head.links
        ],
        "outside": outside,
        "unreachable": unreachable,
        "normalised": _normalised(head),
        "sums_to_one": _sums_to_one(head),
        "single": _over_one(head),
        "error": _error(head),
    }


def _moments(tensor: Tensor) -> dict[str, Any]:
    values = tensor.detach().double().flatten() if not tensor.is_complex() else tensor.detach().abs().double().flatten()
    if not values.numel():
        return {"shape": list(tensor.shape), "min": None, "max": None, "mean": None, "std": None}
    return {
        "shape": list(tensor.shape),
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "std": float(values.std(correction=0)),
    }


def _kind(target: Tensor) -> dict[str, Any]:
    """Tell what kind of targets these are."""
    values = target.detach()
    whole = not values.is_floating_point() and not values.is_complex()
    whole = whole or (values.is_floating_point() and bool((values == values.round()).all()))
    distinct = -1 if values.is_complex() or values.numel() > 1_000_000 else int(values.unique().numel())
    described: dict[str, Any] = {"kind": "real", "distinct": distinct, "classes": None}
    if not whole or values.numel() == 0 or not bool(torch.isfinite(values.double()).all()):
        return described
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high <= 1 and values.is_floating_point():
        wide = values.dim() > 1 and values.shape[1] > 1
        if not wide:
            return {**described, "kind": "binary"}
        counts = values.sum(1)
        kind = "one-hot" if bool((counts == 1).all()) else "multi-label"
        return {**described, "kind": kind, "labels": int(counts.max())}
    if low >= 0 and high < _CLASSES:
        return {**described, "kind": "classes", "classes": torch.bincount(values.flatten().long()).tolist()}
    return {**described, "kind": "two-valued" if distinct == 2 else "whole"}


def _beyond(head: Head) -> tuple[float | None, float | None]:
    """Return the share of targets that the last activation cannot give, and how far they lie beyond it."""
    link = head.links[0] if head.links and head.links[0].direct else None
    bounds = RANGES.get(link.name) if link is not None else None
    if bounds is None or not head.target.is_floating_point() or head.target.numel() < 2:
        return None, None
    values = head.target.detach().double()
    low, high = bounds
    distance = (low - values).clamp(min=0) + (values - high).clamp(min=0)
    variance = float(values.var(correction=0))
    missing = float(distance.square().mean())
    return float((distance > 1e-6).double().mean()), missing / variance if variance > 0 else None


def _normalised(head: Head) -> float | None:
    """Return the mean sum of probabilities where log-probabilities are wanted."""
    if head.kind not in ("nll_loss", "kl_div") or head.prediction.dim() < 1:
        return None
    chances = head.prediction.double().clamp(max=50).exp()
    if head.kind == "nll_loss":
        return float(chances.sum(1 if chances.dim() > 1 else -1).mean())
    # kl_div does not say along which dimension the classes lie.
    return min((float(chances.sum(dim).mean()) for dim in range(chances.dim())), key=lambda total: abs(total - 1))


def _sums_to_one(head: Head) -> list[int] | None:
    """Return the dimension of the classes and those over which probabilities sum to 1, where it is not among them.

    None where all is right, or where the outputs are no log-probabilities at all.
    """
    prediction = head.prediction.double()
    if head.kind not in ("nll_loss", "log-likelihood") or prediction.dim() < 2 or bool((prediction > 1e-3).any()):
        return None
    wanted = head.options.get("dim", 1) if head.kind == "log-likelihood" else 1
    wanted = wanted % prediction.dim() if isinstance(wanted, int) else 1
    sums = [prediction.exp().sum(dim) for dim in range(prediction.dim())]
    ones = [dim for dim, total in enumerate(sums) if bool(((total - 1).abs() < 1e-2).all())]
    return [wanted, *ones] if ones and wanted not in ones else None


def _error(head: Head) -> float | None:
    """Return the mean squared difference of outputs and targets."""
    if head.prediction.shape != head.target.shape or head.prediction.is_complex():
        return None
    return float((head.prediction.double() - head.target.double()).square().mean())


def _over_one(head: Head) -> bool:
    """Whether the last activation is normalised over a dimension of a single element: it is 1 whatever goes in."""
    link = head.links[0] if head.links else None
    if link is None or link.dim is None or not link.direct or head.prediction.dim() == 0:
        return False
    prediction = head.prediction
    return link.name == "softmax" and bool((prediction == 1).all()) and prediction.numel() > 1
