"""What may be said of an arm after a few pairs: a speed-up or a difference, with its 95 % interval.

Pairs share their seed, so it is their ratios that are averaged, not the times of each arm. With three pairs a
percentile bootstrap draws from ten distinct means and covers the truth in three of four cases; Student's interval is
wide, and right. From six pairs on the bootstrap-t needs no normal distribution and is used instead.

Source: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, sections 12.5 and 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.trials.metric import Floats

#: A speed-up that is worth a change to a program: the interval has to lie above it. Of an arm that nobody asks for, no
#: finding and no user, more is wanted: many are tried, and a sound program has little to gain.
WORTH, UNASKED = 1.1, 1.5

#: Student's t: quantiles 0.975 for 1, 2, ... degrees of freedom.
_STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
_NORMAL = 1.959964

#: Pairs from which on a bootstrap has enough to draw from, and how often it draws.
_ENOUGH, _DRAWS = 6, 4000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from pairs and its 95 % interval.

    Attributes:
        estimate: The estimate; NaN where there is none.
        low: Lower end of the interval; NaN where there are too few pairs for one.
        high: Upper end.
        pairs: Number of pairs.
        at_least: Whether the estimate is a lower bound, since a baseline did not get to the target.
    """

    estimate: float
    low: float
    high: float
    pairs: int
    at_least: bool = False

    def is_above(self, worth: float = WORTH) -> bool:
        """Return whether a speed-up is proven: whether its interval excludes all that would not be worth the change."""
        return self.low > worth


def speedup(baseline: Sequence[float], arm: Sequence[float], at_least: bool = False) -> Interval:
    """Return how many times sooner an arm is at the target.

    Args:
        baseline: Times of the baseline, above 0, by seed.
        arm: Times of the arm on the same seeds; infinite where it does not get there. One such pair is enough: the arm
            has speed-up 0 there, and nothing is proven.
        at_least: Whether a time of the baseline is only its length.

    Returns:
        The geometric mean of the ratios, with its interval.
    """
    base, treated = np.asarray(baseline, dtype=np.float64), np.asarray(arm, dtype=np.float64)
    if not len(base):
        return Interval(math.nan, math.nan, math.nan, 0)
    if not np.isfinite(treated).all():
        return Interval(0.0, 0.0, float((base / treated).max()), len(base), at_least)
    mean, low, high = mean_interval(np.log(base / treated))
    return Interval(math.exp(mean), _exp(low), _exp(high), len(base), at_least)


def difference(baseline: Sequence[float], arm: Sequence[float]) -> Interval:
    """Return how much lower or higher an arm ends than the baseline on the same seeds.

    Args:
        baseline: Levels of the baseline, by seed.
        arm: Levels of the arm.

    Returns:
        The mean of arm minus baseline, with its interval; all NaN where a level is not finite.
    """
    both = np.asarray([baseline, arm], dtype=np.float64)
    if not both.size or not np.isfinite(both).all():
        return Interval(math.nan, math.nan, math.nan, both.shape[-1])
    mean, low, high = mean_interval(both[1] - both[0])
    return Interval(mean, low, high, both.shape[-1])


def mean_interval(values: Floats) -> tuple[float, float, float]:
    """Return the mean of some values and its 95 % interval.

    Args:
        values: At least one. Of a single one there is no interval.
    """
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return mean, math.nan, math.nan
    error = float(values.std(ddof=1)) / math.sqrt(count)
    if count >= _ENOUGH and error > 0:
        below, above = _bootstrap_t(values, mean)
    else:
        below = above = student(count - 1)
    return mean, mean - below * error, mean + above * error


def student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t.

    Args:
        freedom: Degrees of freedom, at least 1.
    """
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = _NORMAL  # the Cornish-Fisher expansion, right to four digits from here on
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _bootstrap_t(values: Floats, mean: float) -> tuple[float, float]:
    """Return how many standard errors the interval reaches below and above the mean. The draws are always the same."""
    drawn = np.random.default_rng(0).choice(values, size=(_DRAWS, len(values)))
    errors = drawn.std(axis=1, ddof=1) / math.sqrt(len(values))
    scores = (drawn.mean(axis=1) - mean)[errors > 0] / errors[errors > 0]
    low, high = np.quantile(scores, (0.025, 0.975))
    return float(high), float(-low)


def _exp(value: float) -> float:
    """Return the exponential; infinity where it is too large for a float."""
    return math.inf if value > 700 else math.exp(value)
