"""What arms are compared by: the loss, the error of the outputs, or a metric that the program prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unstuck.trials.metrics import higher_is_better, is_share

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that the program prints.

    Attributes:
        name: Its name, as ``metrics.read_metrics`` gives it.
        higher: Whether it is better when it is higher.
        whole: The most that it can be where it is a share: 1, or 100 where it is printed in percent without the sign.
            Then what is compared is what is missing of it, which has a natural zero as a loss has; else None.
        target: The level that is to be reached; None where it follows from the baselines.
        every: Optimizer steps between two printed values.
    """

    name: str
    higher: bool
    whole: float | None = None
    target: float | None = None
    every: float = 1.0

    def __str__(self) -> str:
        return self.name

    def cost(self, values: Floats) -> Floats:
        """Return values as something that is better when it is lower; infinite where they are not finite."""
        costs = (self.whole or 0.0) - values if self.higher else values
        return np.where(np.isfinite(costs), costs, np.inf)

    def shown(self, cost: float) -> float:
        """Return a value as the program prints it (inverse of :meth:`cost`)."""
        return (self.whole or 0.0) - cost if self.higher else cost

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Metric | None:
        """Return a metric from its fields, None where there are none."""
        return None if values is None else cls(**values)


#: What is compared: the loss that the program minimises, the error of its outputs where an arm changes the loss, or a
#: metric that it prints.
Measure = Literal["loss", "error"] | Metric


def metric_of(name: str, values: Floats, higher: bool | None = None) -> Metric | None:
    """Return a metric for what a program prints, None where its name does not tell what is better.

    Args:
        name: Its name, as ``metrics.read_metrics`` gives it.
        values: Values of the program as it is.
        higher: Whether it is better when it is higher; None for what its name tells.
    """
    higher = higher_is_better(name) if higher is None else higher
    if higher is None:
        return None
    finite = values[np.isfinite(values)]
    whole = None
    if higher and len(finite) and finite.min() >= 0:
        whole = 1.0 if finite.max() <= 1 else 100.0 if finite.max() <= 100 and is_share(name) else None
    return Metric(name, higher, whole)


def shown(measure: Measure, level: float) -> float:
    """Return a level of a measure as a person knows it: of a metric, as the program prints it."""
    return measure.shown(level) if isinstance(measure, Metric) else level
