"""The loss of the best constant prediction: what a network reaches that looks at no input at all.

For cross-entropy it is the entropy of the class prior, for squared error the variance of the targets. A loss that has
settled there has learned nothing from the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import LossCall

_ITERATIONS = 20


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return the loss of the best constant prediction on this step's batch.

    Known losses are solved in closed form from their targets. For any other the last layer's output is replaced by one
    vector for all examples, and the loss minimised over it (20 iterations from the mean output).

    The constant is fitted to the batch: with few examples it lies below that of all data. ``counts`` lets a reader pool
    the classes of several batches.

    Costs nothing for known losses, else about 20 evaluations of what follows the last layer.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``loss_kind``, ``constant`` (in units of the step's loss), ``part`` (the loss that it is compared with),
        ``counts`` (class counts, or None), ``examples``.

    Raises:
        NotMeasurable: The step has several backward calls of unknown losses, or no single output.
    """
    calls = evaluation.step.losses
    solved = [_closed_form(call) for call in calls]
    if calls and all(value is not None for value in solved):
        constant = sum(call.weight * value[0] for call, value in zip(calls, solved, strict=True) if value)
        part = sum(call.weight * value[1] for call, value in zip(calls, solved, strict=True) if value)
        counts = solved[0][2] if len(calls) == 1 and solved[0] else None
        kind = calls[0].kind
        return _result(kind, constant, part, counts, int(calls[0].target.shape[0]) if calls[0].target.dim() else 1)
    return _by_search(evaluation)


def _result(kind: str, constant: float, part: float, counts: list[int] | None, examples: int) -> dict[str, Any]:
    return {"loss_kind": kind, "constant": constant, "part": part, "counts": counts, "examples": examples}


def _closed_form(call: LossCall) -> tuple[float, float, list[int] | None] | None:
    """Return the constant's loss, the call's own loss, and class counts; None where no formula is known."""
    if call.options.get("weight") is not None or call.options.get("pos_weight") is not None:
        return None
    own = _value(call)
    if own is None:
        return None
    target = call.target
    if call.kind in ("cross_entropy", "nll_loss") and not target.is_floating_point():
        return _class_prior(call, own)
    if call.kind in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        rate = target.double().reshape(target.shape[0], -1).mean(0) if target.dim() > 1 else target.double().mean()
        entropy = -(torch.special.xlogy(rate, rate) + torch.special.xlogy(1 - rate, 1 - rate))
        return _scaled(call, entropy.mean()), own, None
    if call.kind == "cross_entropy":
        prior = _smoothed(call, target.double().movedim(1, -1).reshape(-1, target.shape[1]).mean(0))
        return _scaled(call, -torch.special.xlogy(prior, prior).sum(), target.numel() // target.shape[1]), own, None
    if call.kind in ("mse_loss", "l1_loss") and call.prediction.shape == target.shape:
        columns = target.double().reshape(target.shape[0], -1)
        if call.kind == "mse_loss":
            return _scaled(call, columns.var(0, correction=0).mean()), own, None
        return _scaled(call, (columns - columns.median(0).values).abs().mean()), own, None
    return None


def _class_prior(call: LossCall, own: float) -> tuple[float, float, list[int] | None] | None:
    classes = call.prediction.shape[1] if call.prediction.dim() > 1 else call.prediction.shape[0]
    labels = call.target.flatten()
    ignore = call.options.get("ignore_index", -100)
    labels = labels[labels != ignore] if isinstance(ignore, int) else labels
    if labels.numel() == 0 or int(labels.min()) < 0 or int(labels.max()) >= classes:
        return None
    counts = torch.bincount(labels, minlength=classes).double()
    prior = _smoothed(call, counts / counts.sum())
    entropy = -torch.special.xlogy(prior, prior).sum()
    listed = [int(c) for c in counts.tolist()] if classes <= 2000 else None
    return _scaled(call, entropy, labels.numel()), own, listed


def _smoothed(call: LossCall, prior: Tensor) -> Tensor:
    """Mix the prior with the uniform distribution as the call's label smoothing does."""
    smoothing = call.options.get("label_smoothing", 0.0)
    smoothing = float(smoothing) if isinstance(smoothing, (int, float)) else 0.0
    return prior * (1 - smoothing) + smoothing / len(prior)


def _scaled(call: LossCall, mean: Tensor, count: int | None = None) -> float:
    """Turn a mean into what the call's reduction gives."""
    if call.options.get("reduction", "mean") == "mean":
        return float(mean)
    return float(mean) * (call.target.numel() if count is None else count)


def _value(call: LossCall) -> float | None:
    function = getattr(torch.nn.functional, call.kind)
    with torch.no_grad():
        value: Tensor = function(call.prediction, call.target, **call.options)
    if value.dim() and call.options.get("reduction") == "none":
        return None
    return float(value)


def _by_search(evaluation: Evaluation) -> dict[str, Any]:
    found = evaluation.step.output_tail()
    if found is None:
        raise NotMeasurable("the step has several losses or no single output, none of a kind with a known formula")
    output, loss = found
    if output.dim() < 2 or output.shape[0] < 4:
        raise NotMeasurable("the output has no batch to compare a constant with")
    own = float(loss(output.detach()))
    best = _lowest(lambda c: loss(c.expand_as(output)), output.detach().mean(0, keepdim=True).clone())
    if not math.isfinite(best):
        raise NotMeasurable("the loss of a constant prediction is not finite")
    return _result("other", best, own, None, int(output.shape[0]))


def _lowest(loss: Callable[[Tensor], Tensor], place: Tensor) -> float:
    """Return the lowest value found by gradient descent with the step lengths of Barzilai and Borwein (1988).

    Their length may be far off where the curvature changes: it grows at most tenfold at a time, and a step that does
    not go down is taken back and tried at a quarter of its length.

    Torch's own optimizers are not used here: their steps would run the hooks that watch the program's.
    """
    best, step = math.inf, 0.0
    lowest: tuple[Tensor, Tensor] | None = None
    for _ in range(_ITERATIONS):
        at = place.detach().requires_grad_()
        with torch.enable_grad():
            value = loss(at)
            (slope,) = torch.autograd.grad(value, [at])
        current = float(value.detach())
        if not current < best:
            if lowest is None:
                break
            step /= 4
        elif lowest is None:
            best, lowest = current, (at.detach(), slope)
            step = 0.1 * (1 + float(at.detach().norm())) / max(float(slope.norm()), 1e-30)
        else:
            moved, turned = at.detach() - lowest[0], slope - lowest[1]
            along = float((moved * turned).sum())
            step = min(float(moved.square().sum()) / along if along > 0 else math.inf, 10 * step)
            best, lowest = current, (at.detach(), slope)
        place = lowest[0] - step * lowest[1]
    return best
