"""Whether numbers are too coarse: gradients that round to zero, steps that are smaller than the weights' spacing."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation

_LOW = (torch.float16, torch.bfloat16)


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Return what rounding takes from the gradient and from the step.

    A weight ``w`` in a format with ``p`` significant bits stays as it is where the step is shorter than half the
    spacing ``2^-p |w|`` of the numbers around it: 0.2 % of a bfloat16 weight, 0.02 % of a float16 one, 3e-8 of a
    float32 one. In float16 a gradient below 6e-8 is 0.

    Costs one pass over the parameters.

    Source: Micikevicius et al. 2018 (arXiv:1710.03740), sections 3.1 and 3.2.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``dtypes`` (type -> number of weights), ``autocast`` (type or None), ``low``: whether any of it is in 16 bits;
        ``lost_updates``: share of the weights with a gradient that the step left as they were; ``zero_gradients``:
        share of exact zeros in the gradient of a tensor that got one, the median over tensors (most rows of an
        embedding are 0 in any batch); ``largest`` weight.

    Raises:
        NotMeasurable: A gradient is not finite, or all are 0 though no number of 16 bits is used.
    """
    step = evaluation.step
    dtypes: Counter[str] = Counter()
    with_gradient = lost = 0
    zeros: list[float] = []
    for param, gradient, update in zip(step.params, step.real_grads, step.updates, strict=True):
        dtypes[str(param.dtype).removeprefix("torch.")] += param.numel()
        if not bool(torch.isfinite(gradient).all()):
            raise NotMeasurable("a gradient is not finite")
        present = gradient != 0
        count = int(present.sum())
        with_gradient += count
        lost += int((present & (update == 0) & (param != 0)).sum())
        if count:
            zeros.append(1 - count / gradient.numel())
    autocast = step.modes.autocast
    low = autocast in ("float16", "bfloat16") or any(_is_low(param) for param in step.params)
    if not with_gradient and not low:
        raise NotMeasurable("no weight has a gradient")
    return {
        "dtypes": dict(dtypes),
        "autocast": autocast,
        "low": low,
        "lost_updates": lost / max(with_gradient, 1),
        "largest": max((float(param.abs().max()) for param in step.params if param.numel()), default=0.0),
        "zero_gradients": statistics.median(zeros) if zeros else 1.0,
    }


def _is_low(param: Tensor) -> bool:
    return param.dtype in _LOW
