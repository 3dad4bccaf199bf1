"""``vanishing-gradient``: the backward signal dies out on its way to the first layers, which hardly learn.

Decision. ``delta^l = S'(z^l) (W^{l+1})^T delta^{l+1}`` (Nielsen, chapter 5): each layer multiplies the signal by the slope of its
activation and by its weights. It vanishes where the first layer learns less than a hundredth as fast as the last, by the
mean gradient and by the signal of single examples, or more mildly where three layers each halve it. That is a fault
only where the run has not learned: deep networks with small early gradients that learn all the same are not accused.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.depth import profiles
from unstuck.difficulties.finding import Cost, Finding

_GONE, _WEAK = 1e-2, 0.04


def find(case: Case) -> Finding | None:
    """Return the finding, None where the signal arrives or the run learns."""
    course = case.course
    if course is None or course.learned or case.adversarial:
        return None
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
    slope, weights = numbers.get("slope_factor"), numbers.get("weight_factor")
    activation = getattr(case.layer(layer), "activation", None) or "activation"
    parts = f"each layer multiplies the signal by about {np.exp(np.nanmean(np.log(first.factors))):.2g}"
    if slope and weights:
        parts += f" ({activation} slope {slope:.2g} times weights {weights:.2g})"
    return Finding(
        difficulty="vanishing-gradient",
        role="cause",
        confidence=float(np.clip(0.75 + 0.05 * np.log10(_GONE / ratio), 0.6, 0.97)),
        sentence=(
            f"The gradient vanishes on its way back: the first layer learns {1 / ratio:.2g} times more slowly than the "
            f"last of {len(first.names)} layers; {parts}, and the loss does not leave the level of a constant prediction."
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
