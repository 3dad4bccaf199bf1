"""``vanishing-gradient``: the backward signal dies out on its way to the first layers, which hardly learn.

Decision. ``delta^l = S'(z^l) (W^{l+1})^T delta^{l+1}`` (Nielsen, chapter 5): each layer multiplies the signal by the
slope of its activation and by its weights. It vanishes where the first layer learns less than a hundredth as fast as
the last, by the mean gradient and by the signal of single examples, or more mildly where three layers each halve it.
That is a fault only where the run has not learned: deep networks with small early gradients that learn all the same are
not accused.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.depth import profiles
from unstuck.difficulties.figures import figure, geometric_mean, number
from unstuck.difficulties.finding import Cost, Finding

_GONE, _WEAK = 1e-2, 0.04


def find(case: Case) -> Finding | None:
    """Return the finding, None where the signal arrives or the run learns."""
    course = case.course
    if course is None or course.learned or case.adversarial:
        return None
    if course.constant is not None and course.gain < -0.15:
        return None  # not even the last layer has learned: the depth is not what holds the run
    seen = [(probe, p) for probe, p in profiles(case) if len(p.names) >= 3]
    if not seen:
        return None
    ratio = median(p.end_to_end for _, p in seen)
    shrinking = median(p.shrinking for _, p in seen)
    if not (0 < ratio < _GONE or (0 < ratio < _WEAK and shrinking >= 3)) or shrinking < 2:
        return None
    probe, first = seen[0]
    layer = first.names[0]
    numbers = probe.m["layers"][layer]
    slope, weights = (number(numbers.get(key)) for key in ("slope_factor", "weight_factor"))
    activation = getattr(case.layer(layer), "activation", None) or "activation"
    factor = geometric_mean(first.factors)
    parts = f"; each layer multiplies the gradient by about {figure(factor)}" if factor > 0 else ""
    if parts and slope > 0 and weights > 0:
        parts += f" (at the first: {figure(slope)} by the slope of its {activation}, {figure(weights)} by the weights)"
    return Finding(
        difficulty="vanishing-gradient",
        role="cause",
        confidence=float(np.clip(0.75 + 0.05 * np.log10(_GONE / ratio), 0.6, 0.97)),
        sentence=(
            f"The gradient vanishes on its way back through the network: the first layer gets {figure(1 / ratio)} "
            f"times less of it than the last of {len(first.names)} layers{parts}. "
            f"The loss ended at {figure(course.end, 3)}."
        ),
        where=case.at_layer(layer),
        cost=Cost(float("inf"), min(1 / ratio, 1e6), float("inf")),
        evidence={
            "first layer's speed / last layer's": ratio,
            "layers that halve the signal": shrinking,
            "speed per layer (gradient norm / weight norm)": dict(zip(first.names, first.speeds, strict=True)),
        },
        remedies=(
            f"replace {activation} by relu or gelu with He initialisation"
            if activation in ("sigmoid", "tanh")
            else "use an initialisation that keeps the signal (He for relu, Glorot for tanh)",
            "add a normalisation layer or skip connections",
            "use fewer layers",
        ),
        step=probe.step,
    )
