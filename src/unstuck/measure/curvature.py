"""The ends of the Hessian's spectrum: is this a slope, a saddle, a minimum or flat ground?"""

from __future__ import annotations

from typing import Any

import torch

from unstuck.measure.evaluation import Evaluation
from unstuck.measure.lanczos import End, Lanczos

_FEWEST = 12  # before this a small residual may belong to an eigenvalue further in
_MOST = 40
_SHARE = 0.05  # residual of the smallest Ritz value beside its size at which its size is known well enough
_FLOOR = 1e-4  # beside the largest: a tenth of the share from which negative curvature counts as a saddle
_AGAIN = 15  # products for the smallest eigenvalue without decay, started at the one with decay


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Measure the largest and the smallest eigenvalue of the objective's Hessian, and the curvature along g.

    The objective is the loss plus coupled decay, ``H + diag(decay)``; nothing is preconditioned. Lanczos' method
    starts at the gradient ``g`` with a random part, so that directions which a symmetric network's gradient lacks are
    met. Its smallest Ritz value lies above the smallest eigenvalue: where ``smallest < -noise`` the curvature *is*
    negative; where it is not, negative curvature up to ``smallest_residual`` may have been missed. At a critical point
    ``smallest < -0.001 largest`` tells a saddle from a minimum or flat ground.

    Cost: 13 to 41 products of about 1.5 gradients each; up to 15 more where decay differs between parameters.

    Units: loss per squared parameter; ``gradient_norm`` in loss per parameter.

    Source: Dauphin et al. 2014 (arXiv:1406.2572) for the meaning; Ghorbani et al. 2019 (arXiv:1901.10159) for Lanczos'
    method on neural networks.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``largest`` and ``smallest`` eigenvalue; ``along_gradient`` = g'Hg / g'g (None where the gradient is 0);
        ``gradient_norm``; ``residual`` of the largest and ``smallest_residual``; ``noise``, the size below which an
        eigenvalue is rounding; ``raw_smallest``, the smallest eigenvalue of the loss without decay;
        ``products``; ``products_by``.

    Raises:
        NotMeasurable: The loss, its gradient or a product is not finite.
    """
    before = evaluation.hessian.products
    lanczos = Lanczos(evaluation.product, evaluation.start(), evaluation.generator)
    low, high = _converge(lanczos, _FEWEST, _MOST)
    evaluation.lowest = lanczos.vector(0)
    along = _along_gradient(evaluation)
    return {
        "largest": high.value,
        "smallest": low.value,
        "along_gradient": along,
        "gradient_norm": float(evaluation.gradient.norm()),
        "residual": high.residual,
        "smallest_residual": low.residual,
        "noise": _noise(lanczos, low, high),
        "raw_smallest": _without_decay(evaluation, lanczos, low),
        "products": evaluation.hessian.products - before,
        "products_by": evaluation.hessian.products_by,
    }


def _converge(lanczos: Lanczos, fewest: int, most: int) -> tuple[End, End]:
    while True:
        lanczos.extend()
        low, high = lanczos.ends()
        if lanczos.complete or lanczos.products >= most:
            return low, high
        enough = max(_SHARE * abs(low.value), _FLOOR * abs(high.value), _noise(lanczos, low, high))
        if lanczos.products >= fewest and low.residual <= enough:
            return low, high


def _noise(lanczos: Lanczos, low: End, high: End) -> float:
    """Return the size below which an eigenvalue is rounding: of the products, and of numbers as large as these."""
    return max(lanczos.noise, lanczos.eps * max(abs(low.value), abs(high.value)))


def _along_gradient(evaluation: Evaluation) -> float | None:
    length = evaluation.gradient.norm()
    if length == 0:
        return None
    direction = evaluation.gradient / length
    return float(direction @ evaluation.product(direction))


def _without_decay(evaluation: Evaluation, lanczos: Lanczos, low: End) -> float:
    decay = evaluation.step.rule.weight_decay
    if evaluation.decay is None:
        return low.value
    if len(set(decay)) == 1:
        return low.value - decay[0]  # the same shift of every eigenvalue
    start = lanczos.vector(0)
    fresh = evaluation.start()
    start = torch.add(start, fresh / fresh.norm(), alpha=0.1)
    return _converge(Lanczos(evaluation.hessian.product, start, evaluation.generator), _AGAIN // 2, _AGAIN)[0].value
