"""What a trial leaves behind to be compared: its loss, and where noted its error and metrics, by step and by time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unstuck.record import read_run
from unstuck.record.manifest import read_object
from unstuck.record.reader import Pulse
from unstuck.trials.metric import Floats, Measure, Metric


@dataclass(frozen=True)
class Curve:
    """The course of one trial, a row per step of its first optimizer.

    In the columns NaN stands for what was not noted, infinity for what was noted and was not finite.

    Attributes:
        steps: Steps done, from 1.
        seconds: Seconds since the end of the first step: imports and compilation are not the training's.
        loss: The loss that the step minimised.
        error: Error of the outputs, None where the trial has not noted any.
        metrics: What the program printed of itself: by name, steps and values.
    """

    steps: Floats
    seconds: Floats
    loss: Floats
    error: Floats | None = None
    metrics: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def of(self, measure: Measure) -> tuple[Floats, Floats, Floats]:
        """Return steps, seconds and values of the rows at which a measure was noted; all are better when lower.

        A metric has them where it was printed after a step, its seconds being those of that step.
        """
        if isinstance(measure, Metric):
            return self._printed(measure)
        values = self.loss if measure == "loss" else self.error
        if values is None:
            return np.empty(0), np.empty(0), np.empty(0)
        noted = ~np.isnan(values)
        return self.steps[noted], self.seconds[noted], values[noted]

    def _printed(self, metric: Metric) -> tuple[Floats, Floats, Floats]:
        steps, values = self.metrics.get(metric.name, (np.empty(0), np.empty(0)))
        # Of several values after one step the last counts: the first may be of a part of the data.
        last = np.append(steps[1:] != steps[:-1], True)[: len(steps)] & (steps >= 1)
        if not last.any() or not len(self):
            return np.empty(0), np.empty(0), np.empty(0)
        return steps[last], np.interp(steps[last], self.steps, self.seconds), metric.cost(values[last])


def read_curve(folder: Path) -> Curve:
    """Read what a trial has noted.

    Args:
        folder: The trial's folder, which is a run folder; of a run that is no trial the first optimizer's is read.

    Returns:
        The curve; without rows where the trial did not get to a step.

    Raises:
        UsageError: The folder is not a run.
    """
    optimizer = read_object(folder / "spec.json").get("optimizer", 0)
    pulse = read_run(folder).pulse.get(optimizer, Pulse.empty())
    seconds = pulse.time - pulse.time[0] if len(pulse) else np.empty(0)
    loss = np.where(pulse.loss_seen & ~np.isfinite(pulse.loss), np.inf, pulse.loss)
    return Curve(pulse.step + 1, seconds, loss, _error(folder, pulse.step), _metrics(folder))


def _error(folder: Path, steps: Floats) -> Floats | None:
    """Return the error at each step, None where none was noted."""
    file = folder / "score.jsonl"
    if not file.is_file():
        return None
    from unstuck.trials.score_file import read_score

    noted, errors = (np.asarray(column, dtype=np.float64) for column in read_score(file))
    result = np.full(len(steps), np.nan)
    if len(noted) and len(steps):
        at = np.searchsorted(steps, noted)
        known = (at < len(steps)) & (steps[np.minimum(at, len(steps) - 1)] == noted)
        result[at[known]] = np.where(np.isfinite(errors[known]), errors[known], np.inf)
    return None if np.isnan(result).all() else result


def _metrics(folder: Path) -> dict[str, tuple[Floats, Floats]]:
    file = folder / "printed.jsonl"
    if not file.is_file():
        return {}
    from unstuck.trials.metrics import read_metrics

    return {
        name: (np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64))
        for name, (steps, values) in read_metrics(file).items()
    }
