"""Running medians: what a noisy curve says, without its noise, at its steps and at its times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from unstuck.trials.curve import Curve
from unstuck.trials.metric import Floats, Measure, Metric

#: Windows along a baseline, and rows in a window at least.
_WINDOWS, _LEAST = 50, 5
#: Rows at least in a window of a metric, which is printed seldom: an outlier among three does not count.
_LEAST_PRINTED = 3
#: Medians taken per window: more would cost time and tell nothing new.
_DENSITY = 16
#: A normal distribution's standard deviation, over its median absolute deviation.
_NORMAL = 1.4826


@dataclass(frozen=True)
class Smooth:
    """Medians of a curve's windows, each at the middle of its window.

    Attributes:
        steps: Steps done.
        seconds: Seconds since the end of the first step.
        values: The medians; infinite where the curve is lost.
        apart: Distance, in medians, of two whose windows do not overlap.
    """

    steps: Floats
    seconds: Floats
    values: Floats
    apart: int = 1

    def until(self, steps: float = np.inf, seconds: float = np.inf) -> float:
        """Return the last median within a number of steps and of seconds; infinite where there is none."""
        within = np.flatnonzero((self.steps <= steps) & (self.seconds <= seconds))
        return float(self.values[within[-1]]) if len(within) else np.inf


def window_of(baseline: Curve, measure: Measure = "loss") -> int:
    """Return the window that a baseline fixes for all curves that are compared with it: an odd number of rows."""
    rows = len(baseline.of(measure)[0])
    least = _LEAST_PRINTED if isinstance(measure, Metric) else _LEAST
    wanted = max(least, round(rows / _WINDOWS)) | 1
    return max(1, min(wanted, rows - 1 + rows % 2))


def smooth(curve: Curve, window: int, measure: Measure = "loss") -> Smooth:
    """Return the running medians of a curve; none where it is shorter than the window.

    The first printed value of a metric counts as it is: what is there in the first epoch need not wait for the second.

    Args:
        curve: The curve.
        window: Rows in a window, an odd number.
        measure: Which of its columns.
    """
    steps, seconds, values = curve.of(measure)
    if len(values) < window:
        return Smooth(np.empty(0), np.empty(0), np.empty(0))
    if isinstance(measure, Metric) and window == _LEAST_PRINTED:
        steps, seconds, values = (np.append(column[:1], column) for column in (steps, seconds, values))
    last = len(values) - window
    stride = max(1, window // _DENSITY)
    begins = np.arange(last, -1, -stride)[::-1]  # the very end is always among them
    medians = np.median(sliding_window_view(values, window)[begins], axis=1)
    middle = begins + window // 2
    return Smooth(steps[middle], seconds[middle], medians, -(-window // stride))


def noise_of(smoothed: Smooth) -> float:
    """Return the standard deviation of a smoothed curve about its trend, from the later half of it.

    It is taken from windows that do not overlap, by second differences, which a straight trend leaves at zero: noise
    that holds on from step to step counts in full, as it would not if single steps were looked at.
    """
    values = smoothed.values[len(smoothed.values) // 2 :]
    if len(values) < 3:
        return 0.0
    apart = min(smoothed.apart, (len(values) - 1) // 2)
    values = np.where(np.isfinite(values), values, np.nan)
    bends = values[: -2 * apart] - 2 * values[apart:-apart] + values[2 * apart :]
    bends = bends[np.isfinite(bends)]
    return float(_NORMAL * np.median(np.abs(bends)) / np.sqrt(6)) if len(bends) else 0.0
