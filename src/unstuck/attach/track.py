"""What a session keeps about one optimizer."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.capture import parameters_of
from unstuck.attach.modules import Modules, Owners

if TYPE_CHECKING:
    from unstuck.attach.pulse import Pulse

#: An optimizer that has not stepped for so many steps of others is no part of the loop any more.
_PATIENCE = 64


class Track:
    """One optimizer: its pulse, its parameters' names, how deep its ``step`` is nested.

    The optimizer itself is held weakly: a program that makes one model after another must be able to forget them.

    Args:
        optimizer: The optimizer.
        index: Its number in the record.
        pulse: Takes its rows.
        total: Steps that all optimizers have taken so far.
    """

    def __init__(self, optimizer: Optimizer, index: int, pulse: Pulse, total: int) -> None:
        self.reference = weakref.ref(optimizer)
        self.index = index
        self.pulse = pulse
        self.steps = 0
        self.depth = 0
        self.announced = False
        self.last_total = total
        self.names: list[str] = []
        self.owners: Owners = {}
        self.next_norm = 0.0
        self._named: list[weakref.ref[Tensor]] = []

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, None where the program has dropped it."""
        return self.reference()

    @property
    def parameters(self) -> list[Tensor]:
        """Its parameter tensors, none where it is gone."""
        optimizer = self.reference()
        return parameters_of(optimizer) if optimizer is not None else []

    def takes_part(self, total: int) -> bool:
        """Whether the optimizer still belongs to the training loop.

        Args:
            total: Steps that all optimizers have taken so far.

        Returns:
            True where it exists and was made or stepped not long ago.
        """
        return total - self.last_total <= _PATIENCE and self.reference() is not None

    def name(self, modules: Modules) -> None:
        """Name the parameters, again whenever the optimizer was given others.

        Args:
            modules: The program's modules.
        """
        parameters = self.parameters
        known = len(parameters) == len(self._named)
        if not (known and all(ref() is p for ref, p in zip(self._named, parameters, strict=True))):
            self._named = [weakref.ref(p) for p in parameters]
            self.names, self.owners = modules.names_of(parameters)
