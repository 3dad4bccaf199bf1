"""Whether the seed decides how far a program comes: then it is started again, and nothing is written.

The program as it is runs on several seeds in any race. Their ends fall into two groups where some starts lead to a
level that others never reach: the basin of another minimum, a symmetry that a few weights do not break. With a share
``p`` of good starts one of them is met after ``1 / p`` runs on average, the mean of the geometric distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.trials.curve import Curve
from unstuck.trials.smoothing import noise_of, smooth, window_of

#: Fewer seeds say nothing about a share of them.
_SEEDS = 3
#: The gap between the groups: in noises of a curve, in ranges of a group, as a share of the way, and as a ratio.
_NOISES, _RANGES, _WAY, _RATIO = 8.0, 2.0, 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Restarts:
    """Two groups of seeds that end apart.

    Attributes:
        good: Seeds that end low.
        seeds: All seeds.
        level: Median loss at which the good ones end.
        other: The same of the others; infinite where most of them do not stay finite.
        steps: Steps that they were run for.
    """

    good: int
    seeds: int
    level: float
    other: float
    steps: int

    @property
    def runs(self) -> float:
        """Runs until one starts well, on average."""
        return self.seeds / self.good

    @property
    def sentence(self) -> str:
        """What it means, in two sentences."""
        others = "the others lose it to NaN or infinity" if np.isinf(self.other) else f"the others at {self.other:.3g}"
        return (
            f"The seed decides: {self.good} of {self.seeds} seeds end at a loss of {self.level:.3g} after {self.steps} "
            f"steps, {others}. Start the program with several seeds and keep the best: it takes {self.runs:.2g} runs "
            f"to get there, on average."
        )


def restarts(baselines: Sequence[Curve]) -> Restarts | None:
    """Judge the ends of the program as it is on different seeds.

    Args:
        baselines: One curve per seed, all run for the same steps.

    Returns:
        The two groups; None where the ends are not clearly apart.
    """
    curves = [curve for curve in baselines if len(curve.of("loss")[0])]
    if len(curves) < _SEEDS:
        return None
    window = min(window_of(curve) for curve in curves)
    smoothed = [smooth(curve, window) for curve in curves]
    ends = np.sort([s.values[-1] for s in smoothed])
    start = float(np.median([s.values[0] for s in smoothed]))
    noise = float(np.median([noise_of(s) for s in smoothed]))
    finite = int(np.isfinite(ends).sum())
    if not finite:
        return None
    good = finite if finite < len(ends) else int(np.argmax(np.diff(ends))) + 1
    low, high = ends[:good], ends[good:]
    gap = high[0] - low[-1]
    widest = max(float(np.ptp(low)), float(np.ptp(high)) if finite == len(ends) else 0.0)
    signed = any(bool((curve.of("loss")[2] < 0).any()) for curve in curves)
    apart = gap > _NOISES * noise and gap > _RANGES * widest and gap > _WAY * (start - low[0])
    if not apart or not (signed or high[0] > _RATIO * low[-1]) or not low[-1] < start:
        return None
    steps = int(max(curve.steps[-1] for curve in curves))
    return Restarts(good, len(ends), float(np.median(low)), float(np.median(high)), steps)
