"""The lowest value that a loss can take on a batch, whatever the network gives: what nobody can get below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.baseline import _lowest as lowest
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import LossCall

_TINY = 1e-12


def floor_of(evaluation: Evaluation, base: dict[str, Any]) -> float:
    """Return the loss of the best free predictions, one for each example.

    Known losses are computed at the predictions that fit their targets exactly: with label smoothing or soft targets
    that is more than 0. For others the network's output is replaced by free numbers, and the loss minimised over them.

    Args:
        evaluation: The step under measurement.
        base: What :mod:`unstuck.measure.baseline` says of the step.

    Returns:
        The loss, in units of the step's.

    Raises:
        NotMeasurable: The loss is unknown and no function of a single output.
    """
    calls = evaluation.step.losses
    if base["loss_kind"] != "other":
        return float(sum(call.weight * _at_best(call) for call in calls))
    found = evaluation.step.output_tail()
    if found is None:
        raise NotMeasurable("the loss is no function of a single output")
    output, loss = found
    return min(lowest(loss, output.detach().clone()), float(base["constant"]))


def _at_best(call: LossCall) -> float:
    make = _PERFECT.get(call.kind)
    if make is None or (call.kind in _SAME_SHAPE and call.prediction.shape != call.target.shape):
        return 0.0
    function = getattr(torch.nn.functional, call.kind)
    with torch.no_grad():
        value: Tensor = function(make(call), call.target, **call.options)
    result = float(value.sum())
    return result if result == result else 0.0


def _log_of_classes(call: LossCall) -> Tensor:
    """Return logits whose softmax is the (smoothed) target."""
    target = call.target
    classes = call.prediction.shape[1 if call.prediction.dim() > 1 else 0]
    if target.is_floating_point():
        wanted = target.double()
    else:
        hot = torch.nn.functional.one_hot(target.clamp(0, classes - 1), classes).double()
        wanted = hot.movedim(-1, 1) if call.prediction.dim() > 1 else hot
    smoothing = call.options.get("label_smoothing", 0.0)
    smoothing = float(smoothing) if isinstance(smoothing, (int, float)) else 0.0
    wanted = wanted * (1 - smoothing) + smoothing / classes
    return wanted.clamp_min(_TINY).log().to(call.prediction.dtype)


def _probability(call: LossCall) -> Tensor:
    return call.target.to(call.prediction.dtype)


def _logit(call: LossCall) -> Tensor:
    logits: Tensor = torch.special.logit(call.target.double(), eps=_TINY)
    return logits.to(call.prediction.dtype)


_PERFECT: dict[str, Callable[[LossCall], Tensor]] = {
    "cross_entropy": _log_of_classes,
    "nll_loss": _log_of_classes,
    "binary_cross_entropy": _probability,
    "binary_cross_entropy_with_logits": _logit,
    "mse_loss": _probability,
    "l1_loss": _probability,
}
_SAME_SHAPE = ("binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss")
