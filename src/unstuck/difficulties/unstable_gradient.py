"""``unstable-gradient``: the backward signal neither dies out nor explodes throughout, but swings from layer to layer.

Decision. In Nielsen's words the gradient in deep networks is unstable: a product of many factors. The difficulty is
named where some layers shrink the signal and others grow it, two of each by 2.5 or one of each by 5, so that layers of
one network want learning rates that differ more than fiftyfold and no single one fits, and the run has not learned.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.depth import profiles
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding

_SWING = 2.5
_SPREAD = 50.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where layers learn at similar speeds or the run learns."""
    course = case.course
    if course is None or case.adversarial or (course.gain > 0.75 and not course.ends_bad):
        return None
    for probe, profile in profiles(case)[:1]:
        factors = np.asarray([f for f in profile.factors if np.isfinite(f) and f > 0])
        speeds = np.asarray([s for s in profile.speeds if np.isfinite(s) and s > 0])
        if len(factors) < 3 or len(speeds) < 4:
            continue
        spread = float(speeds.max() / speeds.min())
        both_ways = (factors > _SWING).sum() >= 2 and (factors < 1 / _SWING).sum() >= 2
        wide = factors.max() > 2 * _SWING and factors.min() < 1 / (2 * _SWING)
        if (both_ways or wide) and spread > _SPREAD:
            fast, slow = (profile.names[int(i(profile.speeds))] for i in (np.nanargmax, np.nanargmin))
            return Finding(
                difficulty="unstable-gradient",
                role="cause",
                confidence=0.8,
                sentence=(
                    f"The gradient is unstable with depth: layer {fast} learns {figure(spread)} times as fast for its "
                    f"size as layer {slow}, because on its way back some layers multiply the gradient by "
                    f"{figure(factors.min())} and others by {figure(factors.max())}; no single learning rate fits both."
                ),
                where=case.at_layer(fast),
                cost=Cost(min(spread, 1e6) ** 0.5, 2.0, min(spread, 1e6)),
                evidence={
                    "fastest / slowest layer": spread,
                    "factors between layers": [float(f) for f in factors],
                    "speed per layer": dict(zip(profile.names, profile.speeds, strict=True)),
                },
                remedies=(
                    "initialise every layer for its fan-in (He or Glorot), with one gain for all",
                    "add normalisation layers",
                    "use Adam, whose steps do not depend on the size of the gradient",
                ),
                step=probe.step,
            )
    return None
