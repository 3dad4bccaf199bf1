"""Columns to mean 0 and standard deviation 1, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """What is taken from columns, and what they are divided by.

    Attributes:
        mean: ``[columns]``.
        scale: ``[columns]``, more than 0.
    """

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, columns: Floats, weights: Floats | None) -> Scaling:
        """Return the scaling of some columns; constant ones are only centred.

        Args:
            columns: ``[n, columns]``.
            weights: Weights of the rows; None where all count once.
        """
        mean = np.average(columns, 0, weights)
        scale = np.sqrt(np.average((columns - mean) ** 2, 0, weights))
        constant = scale <= 10 * np.finfo(np.float64).eps * np.maximum(np.abs(columns).max(0), 1e-300)
        return cls(mean, np.where(constant, 1.0, scale))

    @classmethod
    def none(cls, columns: int) -> Scaling:
        """Return one that changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    def apply(self, columns: Floats) -> Floats:
        """Return scaled columns."""
        return (columns - self.mean) / self.scale

    def undo(self, columns: Floats) -> Floats:
        """Return columns as they were."""
        return columns * self.scale + self.mean
