"""A network whose parameters are one flat vector, so that many copies are one matrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class FlatNetwork:
    """Fully connected layers, the parameters of each copy one vector.

    Attributes:
        sizes: Units of each layer, the inputs first.
        size: Parameters.
    """

    def __init__(self, sizes: Sequence[int], activation: Callable[[Tensor], Tensor] = torch.tanh) -> None:
        """Lay it out.

        Args:
            sizes: Units of each layer, the inputs first.
            activation: Of all layers but the last, whose outputs are linear.
        """
        self.sizes = tuple(sizes)
        self._activation = activation
        self._layers = [(wide, high) for wide, high in itertools.pairwise(sizes)]
        self.size = sum((wide + 1) * high for wide, high in self._layers)

    def draw(self, copies: int, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return parameters drawn as ``torch.nn.Linear`` draws them, ``[copies, size]``.

        Args:
            copies: How many networks.
            generator: Source of randomness.
            dtype: Type of the numbers.
        """
        parts = []
        for wide, high in self._layers:
            part = torch.rand(copies, (wide + 1) * high, generator=generator, dtype=dtype)
            parts.append(part.mul_(2).sub_(1).div_(wide**0.5))
        return torch.cat(parts, 1)

    def outputs(self, place: Tensor, inputs: Tensor) -> Tensor:
        """Return the outputs.

        Args:
            place: Parameters, ``[size]``, or ``[copies, size]`` for many networks.
            inputs: Examples ``[n, inputs]``, or ``[copies, n, inputs]`` where each network has its own.

        Returns:
            ``[n, outputs]``, with the copies in front where there are some.
        """
        at, values = 0, inputs
        for number, (wide, high) in enumerate(self._layers):
            weights = place[..., at : at + wide * high].unflatten(-1, (high, wide))
            biases = place[..., at + wide * high : at + (wide + 1) * high]
            at += (wide + 1) * high
            values = values @ weights.transpose(-1, -2) + biases.unsqueeze(-2)
            if number < len(self._layers) - 1:
                values = self._activation(values)
        return values
