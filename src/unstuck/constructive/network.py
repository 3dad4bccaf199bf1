"""A cascade: hidden units that each see the bias, all inputs and all units before them, and outputs that see all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Weights = NDArray[np.floating]


@dataclass(frozen=True)
class Phase:
    """One phase of training.

    Attributes:
        kind: Which.
        epochs: How long it took.
        value: Sum of squared errors of an output phase, score of the best candidate of a candidate phase.
    """

    kind: Literal["outputs", "candidates"]
    epochs: int
    value: float


@dataclass
class Cascade:
    """A network that grows.

    Attributes:
        inputs: Number of inputs.
        linear: Whether the outputs are linear, and not sigmoids from 0 to 1.
        hidden: Weights of each hidden unit, ``[1 + inputs + units before it]``: bias, inputs, units.
        outputs: Weights of the outputs after each output phase, ``[outputs, 1 + inputs + units]``; the last are in use.
        phases: The phases of its training.
        right: Whether all outputs are right for all cases.
        diverged: Whether growth ended because the error was no longer finite; the outputs before that are in use.
    """

    inputs: int
    linear: bool
    hidden: list[Weights] = field(default_factory=list)
    outputs: list[Weights] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    right: bool = False
    diverged: bool = False

    @property
    def hidden_units(self) -> int:
        """Number of hidden units."""
        return len(self.hidden)

    @property
    def width(self) -> int:
        """Number of values that an output sees: the bias, inputs and hidden units."""
        return 1 + self.inputs + len(self.hidden)

    @property
    def epochs(self) -> int:
        """Epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def end_outputs(self, weights: Weights, phase: Phase, right: bool) -> None:
        """Note the end of an output phase; one that diverged is undone, with the unit before it."""
        self.phases.append(phase)
        if math.isfinite(phase.value):
            self.outputs.append(weights)
            self.right = right
        else:
            self.diverged = True
            self.hidden = self.hidden[:-1]

    def add_unit(self, weights: Weights, phase: Phase) -> None:
        """Note the end of a candidate phase."""
        self.hidden.append(weights)
        self.phases.append(phase)

    def copy(self) -> Cascade:
        """Return one that can grow apart from this one."""
        return Cascade(self.inputs, self.linear, list(self.hidden), list(self.outputs), list(self.phases), self.right)

    def cut(self, hidden_units: int) -> Cascade:
        """Return the network as it was with fewer hidden units.

        Args:
            hidden_units: How many.
        """
        outputs = [weights for weights in self.outputs if weights.shape[1] <= 1 + self.inputs + hidden_units]
        return Cascade(self.inputs, self.linear, self.hidden[:hidden_units], outputs, list(self.phases), self.right)

    def unit_values(self, inputs: Tensor) -> Tensor:
        """Return the values of bias, inputs and hidden units.

        Args:
            inputs: ``[n, inputs]``.

        Returns:
            ``[n, width]``.
        """
        values = inputs.new_empty(self.width, len(inputs))
        values[0] = 1.0
        values[1 : 1 + self.inputs] = inputs.T
        for place, weights in enumerate(self.hidden, 1 + self.inputs):
            values[place] = torch.sigmoid(torch.as_tensor(weights).to(inputs) @ values[:place]) - 0.5
        return values.T

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the outputs, ``[n, outputs]``.

        Args:
            inputs: ``[n, inputs]``.
        """
        out = self.unit_values(inputs) @ torch.as_tensor(self.outputs[-1]).to(inputs).T
        return out if self.linear else torch.sigmoid(out)
