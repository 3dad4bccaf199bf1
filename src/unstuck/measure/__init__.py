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
    held_out,
    inputs,
    layers,
    norms,
    not_finite,
    sharpness,
)
from unstuck.measure.errors import NotMeasurable as NotMeasurable
from unstuck.measure.evaluation import Evaluation as Evaluation

Cadence = Literal["every", "deep"]


@dataclass(frozen=True)
class Measurement:
    """A measurement as the registry knows it.

    Attributes:
        name: Its name in the record.
        function: Returns JSON values (floats may be non-finite) or raises :class:`NotMeasurable` with one clause.
        cadence: ``every`` probe step, or ``deep``: on a part of them, because it costs many gradients.
        gradients: About how many gradient evaluations it costs, for the budget's first guess.
    """

    name: str
    function: Callable[[Evaluation], dict[str, Any]]
    cadence: Cadence
    gradients: float


#: In the order in which they are made: cheap ones first, the spectrum last.
MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement("not_finite", not_finite.measure, "every", 0.5),
    Measurement("norms", norms.measure, "every", 0.1),
    Measurement("inputs", inputs.measure, "every", 0.1),
    Measurement("baseline", baseline.measure, "every", 1),
    Measurement("layers", layers.measure, "every", 3),
    Measurement("decay", decay.measure, "every", 0.1),
    Measurement("along_update", along_update.measure, "every", 8),
    Measurement("sharpness", sharpness.measure, "every", 12),
    Measurement("held_out", held_out.measure, "every", 2),
    Measurement("curvature", curvature.measure, "deep", 60),
)
