"""``step-size``: five learning rates that decay by ten per cent a step, on an elliptic bowl."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.report.pictures.picture import Picture, Table

_RATES = (0.01, 0.1, 0.4, 0.7, 1.0)
_DECAY, _STEPS = 0.9, 100
_CURVATURES = np.array([1.0, 4.0])
_START = np.array([3.0, 1.5])
#: Part of the error that is left where a run has arrived, and how many times the error has grown that overshot.
_ARRIVED, _FAR = 1e-3, 100.0


@dataclass(frozen=True)
class _Path:
    rate: float
    points: Floats  # [steps + 1, 2]
    errors: Floats  # [steps + 1], over the first

    @property
    def kind(self) -> str:
        """What the path does, in a word."""
        if self.errors[-1] > _ARRIVED:
            return "stalls"
        highest = self.errors.max()
        return "arrives" if highest <= 1 else "bounces" if highest < _FAR else "overshoots"


class StepSize(Experiment):
    """Show how one learning-rate schedule stalls, arrives, bounces or overshoots with the rate that it starts from."""

    name = "step-size"
    title = "Five learning rates on an elliptic bowl"
    source = "Learning with backpropagation (dissertation chapter), figure 1; settings are ours, the figure gives none"
    difficulties = ("step-too-small", "step-too-large")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Descend five times."""
        paths = [_descend(rate) for rate in _RATES]
        stalled, arrived, over = paths[0], paths[2], paths[-1]
        return Outcome(
            seen=(
                f"With a first rate of {stalled.rate:g} the steps are used up before the bottom: "
                f"{stalled.errors[-1]:.0%} of the error is left after {_STEPS} steps, and more steps would not help.",
                f"At {arrived.rate:g} the run arrives: a thousandth of the error is left after "
                f"{_first(arrived.errors)} steps.",
                f"At {over.rate:g} the first steps jump across the valley and raise the error "
                f"{over.errors.max():,.0f} times, until the decay has made them small enough.",
            ),
            comparisons=tuple(
                Comparison(f"error left, first rate {path.rate:g}", float(path.errors[-1]), path.kind, form=".2g")
                for path in paths
            ),
            pictures=(_errors(paths), _tracks(paths)),
            settings={
                "error": "E = (x^2 + 4 y^2) / 2",
                "start": "(3, 1.5)",
                "rule": f"gradient descent, rate times {_DECAY:g} after every step, {_STEPS} steps",
                "theory": "arrives if 10 g0 lambda_min >= ln(1/tolerance)/2, does not bounce if g0 lambda_max < 1, "
                "does not overshoot if g0 lambda_max < 2",
            },
            notes=("The figure of the dissertation is drawn without numbers, so that there is nothing to compare.",),
        )


def _descend(rate: float) -> _Path:
    points = [_START]
    for step in range(_STEPS):
        points.append(points[-1] * (1 - rate * _DECAY**step * _CURVATURES))
    track = np.array(points)
    errors = (track**2 * _CURVATURES).sum(1) / 2
    return _Path(rate, track, errors / errors[0])


def _first(errors: Floats) -> int:
    return int(np.flatnonzero(errors <= _ARRIVED)[0])


def _errors(paths: list[_Path]) -> Picture:
    rows = tuple((f"{p.rate:g}", p.kind, f"{p.errors[-1]:.2g}", f"{p.errors.max():.3g}") for p in paths)
    return curves(
        "step-size-errors",
        "The error along five descents",
        "Each curve starts at the same point; only the first learning rate differs. The scale is logarithmic.",
        [Series(f"first rate {p.rate:g}: {p.kind}", range(_STEPS + 1), np.maximum(p.errors, 1e-12)) for p in paths],
        Axis("step", whole=True),
        Axis("error, over that at the start", "log"),
        Table("The five runs", ("first rate", "what it does", "error left", "highest error"), rows),
    )


def _tracks(paths: list[_Path]) -> Picture:
    return curves(
        "step-size-tracks",
        "Where they go",
        "The same descents seen from above; the bottom is at (0, 0), and the upward axis is four times as steep.",
        [Series(f"first rate {p.rate:g}", p.points[:, 0], p.points[:, 1]) for p in paths[:4]],
        Axis("x", limits=(-3.2, 3.2)),
        Axis("y", limits=(-3.2, 3.2)),
    )
