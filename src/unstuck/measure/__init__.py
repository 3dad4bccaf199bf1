"""What is measured at a probe step: one file, one function, one line in :data:`MEASUREMENTS` each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from unstuck.measure import (
    along_update,
    baseline,
    curvature,
    decay,
    gradient_check,
    held_out,
    inputs,
    layers,
    leak,
    modes,
    norms,
    not_finite,
    overfit,
    precision,
    sharpness,
    targets,
    task,
)
from unstuck.measure.errors import NotMeasurable as NotMeasurable
from unstuck.measure.evaluation import Evaluation as Evaluation

Cadence = Literal["every", "deep", "once", "check"]


@dataclass(frozen=True)
class Measurement:
    """A measurement as the registry knows it.

    Attributes:
        name: Its name in the record.
        function: Returns JSON values (floats may be non-finite) or raises :class:`NotMeasurable` with one clause.
        cadence: ``every`` probe step; ``deep``: on a part of them, because it costs many gradients; ``once``
            per optimizer: where a function of the user's own took part, else under ``unstuck check`` only; ``check``:
            on the first probe under ``unstuck check`` only.
        gradients: About how many gradient evaluations it costs, for the budget's first guess.
        per_layer: How many more for each layer.
    """

    name: str
    function: Callable[[Evaluation], dict[str, Any]]
    cadence: Cadence
    gradients: float
    per_layer: float = 0.0


#: In the order in which they are made: cheap ones first, the spectrum last.
MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement("not_finite", not_finite.measure, "every", 0.5),
    Measurement("norms", norms.measure, "every", 0.1),
    Measurement("inputs", inputs.measure, "every", 0.1),
    Measurement("task", task.measure, "every", 0.1),
    Measurement("modes", modes.measure, "every", 0.1),
    Measurement("precision", precision.measure, "every", 0.1),
    Measurement("baseline", baseline.measure, "every", 1),
    Measurement("targets", targets.measure, "every", 2),
    Measurement("layers", layers.measure, "every", 3),
    Measurement("decay", decay.measure, "every", 0.1),
    Measurement("along_update", along_update.measure, "every", 8),
    Measurement("sharpness", sharpness.measure, "every", 12),
    Measurement("held_out", held_out.measure, "every", 2),
    Measurement("leak", leak.measure, "check", 12),
    Measurement("overfit", overfit.measure, "check", 100),
    Measurement("gradient_check", gradient_check.measure, "once", 4, per_layer=2),
    Measurement("curvature", curvature.measure, "deep", 60),
)
