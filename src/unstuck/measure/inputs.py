"""Statistics of what the network reads: location and scale, over all and feature by feature."""

from __future__ import annotations

from typing import Any

import torch

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return the moments of the first layer's input.

    Features are the columns of ``[N, F]`` and of ``[N, T, F]``, the channels of an image ``[N, C, H, W]``. A step that
    works for one feature is wrong by the ratio of variances for another (LeCun et al. 1998, "Efficient BackProp",
    section 4.3); a mean far from zero has the same effect.

    Costs nothing beside the replay: one pass over the batch.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``mean``, ``std``, ``rms``, ``min``, ``max``, ``sum`` over all elements; ``feature_std_min``,
        ``feature_std_max`` over features that vary; ``feature_rms_max``, ``feature_rms_median``; ``offset``, the
        largest ``|mean| / std`` of a feature; the numbers ``features`` and ``constant_features``.

    Raises:
        NotMeasurable: The first layer reads indices, or something that the program computes with parameters.
    """
    values = evaluation.step.inputs
    if values is None:
        raise NotMeasurable("the first layer does not read the program's data directly")
    if not values.is_floating_point():
        raise NotMeasurable("the network reads whole numbers (indices)")
    x = values.detach().double()
    if x.numel() == 0 or not bool(torch.isfinite(x).all()):
        raise NotMeasurable("the input is empty or not finite")
    by_feature = x.reshape(-1, 1) if x.dim() < 2 else x.movedim(1 if x.dim() > 3 else -1, 0).flatten(1).T
    means, stds = by_feature.mean(0), by_feature.std(0, correction=0)
    varies = stds > 1e-12 * (means.abs() + 1e-30)
    some = stds[varies] if bool(varies.any()) else torch.zeros(1, dtype=torch.double)
    offsets = (means[varies].abs() / stds[varies]) if bool(varies.any()) else torch.zeros(1, dtype=torch.double)
    return {
        "mean": float(x.mean()),
        "std": float(x.std(correction=0)),
        "rms": float(x.square().mean().sqrt()),
        "min": float(x.min()),
        "max": float(x.max()),
        "feature_std_min": float(some.min()),
        "feature_std_max": float(some.max()),
        "feature_rms_max": float(by_feature.square().mean(0).sqrt().max()),
        "feature_rms_median": float(by_feature.square().mean(0).sqrt().median()),
        "offset": float(offsets.max()),
        "features": int(by_feature.shape[1]),
        "constant_features": int((~varies).sum()),
        "sum": float(x.sum()),
    }
