"""Curvature of this batch along the direction in which an earlier batch's loss curved down most.

The Hessian of one small batch has negative eigenvalues that are noise: the residuals of its few examples. Their
directions mean nothing to the next batch. A saddle of the whole loss curves down for every batch along the same
direction; the curvature of a batch that the direction was not chosen on is an unbiased estimate of the whole loss's.
"""

from __future__ import annotations

from typing import Any

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Measure ``v' H v / v' v`` of the loss (decay not included) along an earlier step's lowest eigenvector ``v``.

    Cost: one Hessian-vector product, 1.5 gradients.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``curvature``.

    Raises:
        NotMeasurable: No earlier step left a direction, or its size does not fit.
    """
    direction = evaluation.earlier
    if direction is None or direction.shape != evaluation.place.shape:
        raise NotMeasurable("no earlier step left a direction of negative curvature")
    direction = direction.to(evaluation.place)
    image = evaluation.hessian.product(direction)
    return {"curvature": float(direction @ image) / float(direction @ direction)}
