"""Sharpness: the curvature that limits the step, against the optimizer's own stability limit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.lanczos import Lanczos
from unstuck.measure.step import UpdateRule

_TOLERANCE = 0.001  # estimated relative error at which the method stops
_ENOUGH = 0.008  # and at which it does once its cost is near 12 gradients
_FEWEST = 3
_USUAL = 6
_MOST = 20


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Measure the largest eigenvalue of the preconditioned Hessian and where the optimizer turns unstable.

    With learning rates ``lr_i`` and the diagonal preconditioner ``P_i``, a step multiplies the error along an
    eigenvector of ``D H``, ``D_i = lr_i / (lr_1 P_i)``, and the iteration is stable for eigenvalues below

    =================  ===============================================
    SGD                ``2 / lr``
    SGD, momentum b    ``2 (1 + b) / lr`` (torch's form, no dampening)
    SGD, Nesterov b    ``2 (1 + b) / ((1 + 2 b) lr)``
    Adam, AdamW        ``2 (1 + b1) / ((1 - b1) lr)``
    RMSprop            ``2 / lr``, with momentum ``2 (1 + b) / lr``
    =================  ===============================================

    ``H`` is the Hessian of the loss plus coupled decay. ``D H`` has the eigenvalues of the symmetric
    ``D^1/2 H D^1/2``, whose largest is found by Lanczos' method, started at the gradient, or at an earlier
    evaluation's eigenvector.

    Cost: one gradient with its graph, and products of about 1.5 gradients each: 3 to 7 in general, up to 20 where
    eigenvalues lie close together at the upper end, as they do in the first steps of a training.

    Units: ``largest`` and ``limit`` in loss per squared parameter (times the preconditioner's unit), for the first
    group's learning rate; ``ratio`` has none, 1 is the edge of stability.

    Source: Cohen et al. 2021 (arXiv:2103.00065) for SGD and momentum; Cohen et al. 2022 (arXiv:2207.14484), equation 2
    and proposition 1, for Adam.

    Args:
        evaluation: The step under measurement; its ``leading`` is set.

    Returns:
        ``largest``, ``limit``, ``ratio`` = largest / limit, ``preconditioned``, ``rule`` in words, ``residual`` (an
        eigenvalue lies within it of ``largest``), ``error`` (its estimated distance), ``noise`` of the products,
        ``products``, ``products_by``.

    Raises:
        NotMeasurable: No stability limit is known for the optimizer, or its learning rate is 0.
    """
    rule = evaluation.step.rule
    factor, words = _limit(rule)
    lr = next((rate for rate in rule.lr if rate > 0), 0.0)
    if lr == 0:
        raise NotMeasurable("the learning rate is 0")
    root = _root(evaluation, lr)
    lanczos = _largest(evaluation, root)
    high = lanczos.ends()[1]
    evaluation.leading = lanczos.vector(-1)
    return {
        "largest": high.value,
        "limit": factor / lr,
        "ratio": high.value * lr / factor,
        "preconditioned": rule.preconditioner is not None,
        "rule": words,
        "residual": high.residual,
        "error": high.error,
        "noise": lanczos.noise,
        "products": lanczos.products,
        "products_by": evaluation.hessian.products_by,
    }


def _limit(rule: UpdateRule) -> tuple[float, str]:
    """Return the stability limit times the learning rate, and the limit in words."""
    if rule.family == "adam":
        return 2 * (1 + rule.beta1) / (1 - rule.beta1), "2 (1 + beta1) / ((1 - beta1) lr)"
    if rule.family not in ("sgd", "rmsprop"):
        raise NotMeasurable(f"no stability limit is known for {rule.optimizer}")
    if rule.momentum == 0:
        return 2.0, "2 / lr"
    if rule.nesterov:
        return 2 * (1 + rule.momentum) / (1 + 2 * rule.momentum), "2 (1 + momentum) / ((1 + 2 momentum) lr)"
    return 2 * (1 + rule.momentum), "2 (1 + momentum) / lr"


def _root(evaluation: Evaluation, lr: float) -> Tensor | None:
    """Return ``D^1/2``, or None where it is the identity."""
    rule = evaluation.step.rule
    if rule.preconditioner is None and all(rate == lr for rate in rule.lr):
        return None
    scale = evaluation.layout.fill([rate / lr for rate in rule.lr])
    if rule.preconditioner is not None:
        preconditioner = evaluation.layout.join(rule.preconditioner)
        # Where it is 0 the gradient was 0 at every step so far, so that the parameter does not move either.
        scale = torch.where(preconditioner > 0, scale / preconditioner, 0.0)
    if not scale.isfinite().all():
        raise NotMeasurable("the optimizer's state is not finite")
    return scale.sqrt_()


def _largest(evaluation: Evaluation, root: Tensor | None) -> Lanczos:
    def product(vector: Tensor) -> Tensor:
        if root is None:
            return evaluation.product(vector)
        return evaluation.product(vector * root).mul_(root)

    lanczos = Lanczos(product, evaluation.start(root, evaluation.warm), evaluation.generator)
    while lanczos.products < _MOST and not lanczos.complete:
        lanczos.extend()
        if lanczos.products < _FEWEST:
            continue
        high = lanczos.ends()[1]
        tolerance = _TOLERANCE if lanczos.products < _USUAL else _ENOUGH
        if high.error <= tolerance * abs(high.value):
            break
    return lanczos
