"""What many initialisations of one network reach."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from unstuck.restarting.pilot import Way
from unstuck.restarting.trainers import state_of

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Restarts:
    """What came of :func:`unstuck.restarts`.

    Attributes:
        final: Loss of each network over all examples after training, in evaluation mode, ``[count]``, float64. NaN
            or infinite where it diverged.
        losses: Mean loss on the batches since the step before in ``steps``, ``[count, recorded]``, float64.
        steps: Steps at which the losses were recorded, ``[recorded]``.
        parameters: Trained parameters and buffers of all networks by name, ``[count, ...]``.
        seed: Seed of the first network; network ``i`` has ``seed + i``.
        way: How they were trained.
        seconds: How long it took, the measurement of the ways included.
    """

    final: Tensor
    losses: Tensor
    steps: Tensor
    parameters: dict[str, Tensor]
    seed: int
    way: Way
    seconds: float
    _base: nn.Module = field(repr=False)

    @property
    def index(self) -> int:
        """Number of the network that reached the lowest loss."""
        return int(_infinite(self.final).argmin())

    @cached_property
    def best(self) -> nn.Module:
        """The network that reached the lowest loss."""
        return self.network(self.index)

    def network(self, number: int) -> nn.Module:
        """Return a network as it was when its training ended, in evaluation mode.

        Args:
            number: Which one, from 0.
        """
        network = copy.deepcopy(self._base)
        for name, value in state_of(network).items():
            value.copy_(self.parameters[name][number])
        return network.eval()

    @property
    def spread(self) -> dict[float, float]:
        """Quantiles of the final losses, from the lowest (0) to the highest (1); those that diverged are infinite."""
        ordered = _infinite(self.final).sort().values
        places = [round(q * (len(ordered) - 1)) for q in _QUANTILES]
        return {q: float(ordered[place]) for q, place in zip(_QUANTILES, places, strict=True)}

    @property
    def ratio(self) -> float:
        """The median final loss over the lowest: how much is won by starting often."""
        low, median = self.spread[0.0], self.spread[0.5]
        return median / low if low > 0 else 1.0 if median == low else float("inf")

    def share(self, level: float) -> float:
        """Return the share of networks, 0 to 1, whose final loss is no higher than a level.

        Args:
            level: The level.
        """
        return float((_infinite(self.final) <= level).double().mean())

    @property
    def report(self) -> str:
        """What they reach and how they were trained, in two sentences."""
        low, median, high = (self.spread[q] for q in (0.0, 0.5, 1.0))
        count = len(self.final)
        reached = f"{count} initialisations end between {low:.3g} and {high:.3g}, the median at {median:.3g}; the best"
        reached += f" has seed {self.seed + self.index}."
        if self.way.group == 1:
            return f"{reached} They were trained one by one: {self.way.why}."
        many = "all" if self.way.group >= count else str(self.way.group)
        return f"{reached} They were trained {many} at once, {self.way.factor:.1f} times faster than one by one."

    def __str__(self) -> str:
        return self.report


def _infinite(losses: Tensor) -> Tensor:
    return torch.where(losses.isnan(), torch.inf, losses)
