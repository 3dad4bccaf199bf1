"""The loss along the step that the optimizer took: its slope, its curvature, and how far the step could have gone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation

_LONGEST = 1024


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Measure the objective along the actual update ``d``, on the same batch.

    To second order ``f(w + t d) = f(w) + t slope + t^2 d'Hd / 2``, so that the best multiple of the step is
    ``t = -slope / d'Hd``; with ``d'Hd <= 0`` the objective still bends down and has no best multiple. The true
    loss is then taken at ``t`` = 0.5, 1, 2, 4, ... up to 1024 until the objective is above where it began, because far
    away the quadratic promises too much (up to 5 times on image classifiers) or too little (on a plateau).

    Cost: one product of about 1.5 gradients, and 2 to 12 forward passes of about a third of a gradient each.

    Units: ``slope`` and ``bend`` in loss, ``curvature`` in loss per squared parameter; ``optimum`` and ``scales``
    in multiples of the step.

    Source: the line search's quadratic model (Nocedal and Wright, Numerical Optimization, section 3.5).

    Args:
        evaluation: The step under measurement.

    Returns:
        ``slope`` = g'd, ``bend`` = d'Hd, ``curvature`` = d'Hd / d'd, ``optimum`` (None where there is none); all of
        the objective, coupled decay included. ``loss_before``, ``loss_after`` and ``losses`` at the multiples
        ``scales``: the loss alone; ``objectives``: with decay, in the same order, and ``objective_before``.

    Raises:
        NotMeasurable: The step changed nothing, or to something that is not finite.
    """
    step = evaluation.step
    update = evaluation.layout.join(step.updates)
    length = float(update.norm())
    if length == 0:
        raise NotMeasurable("the step changed no parameter")
    if not math.isfinite(length):
        raise NotMeasurable("the update is not finite")
    direction = update / length
    slope = length * float(evaluation.gradient @ direction)
    curvature = float(direction @ evaluation.product(direction))
    penalty = _Penalty(evaluation, update)
    scales, losses = _search(evaluation, penalty)
    bend = curvature * length**2
    return {
        "slope": slope,
        "bend": bend,
        "curvature": curvature,
        "optimum": -slope / bend if bend > 0 else None,
        "loss_before": evaluation.loss,
        "loss_after": losses[scales.index(1.0)],
        "scales": scales,
        "losses": losses,
        "objective_before": evaluation.loss + penalty(0.0),
        "objectives": [loss + penalty(scale) for scale, loss in zip(scales, losses, strict=True)],
        "products_by": evaluation.hessian.products_by,
    }


class _Penalty:
    """Coupled decay ``sum_i decay_i (w_i + t d_i)^2 / 2`` as a polynomial in ``t``, which costs no forward pass."""

    def __init__(self, evaluation: Evaluation, update: Tensor) -> None:
        self._terms = (0.0, 0.0, 0.0)
        if evaluation.decay is not None:
            weight, decayed = evaluation.place, evaluation.decay * update
            inner = (weight @ (evaluation.decay * weight), weight @ decayed, update @ decayed)
            self._terms = (float(inner[0]) / 2, float(inner[1]), float(inner[2]) / 2)

    def __call__(self, scale: float) -> float:
        return self._terms[0] + scale * (self._terms[1] + scale * self._terms[2])


def _search(evaluation: Evaluation, penalty: _Penalty) -> tuple[list[float], list[float]]:
    start = evaluation.loss + penalty(0.0)
    scales, losses = [0.5], [_loss_at(evaluation, 0.5)]
    scale = 1.0
    while scale <= _LONGEST:
        loss = _loss_at(evaluation, scale)
        scales.append(scale)
        losses.append(loss)
        if not loss + penalty(scale) <= start:  # also where it is not a number
            break
        scale *= 2
    return scales, losses


@torch.no_grad()
def _loss_at(evaluation: Evaluation, scale: float) -> float:
    step = evaluation.step
    places = [param + scale * update for param, update in zip(step.params, step.updates, strict=True)]
    return float(step.loss(places))
