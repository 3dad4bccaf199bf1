"""Many networks of one shape that are trained at the same time: a leading axis, and one row of parameters for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import groupby, pairwise

import torch
from torch import Tensor
from torch.nn import functional

Function = Callable[[Tensor], Tensor]


class Networks:
    """Fully connected networks of the same shape; they share nothing but their inputs.

    Attributes:
        sizes: Units of each layer, the inputs first.
        theta: Parameters, ``[networks, parameters]``; all 0 at first. Write to it through ``layers``.
    """

    def __init__(
        self, sizes: Sequence[int], functions: Sequence[Function], plain: Collection[int] = (), device: str = "cpu"
    ) -> None:
        """Make the networks.

        Args:
            sizes: Units of each layer, the inputs first.
            functions: Activation of each network; runs of the same one are computed at once.
            plain: Hidden layers without an activation, the first being 0.
            device: Device of the parameters.
        """
        self.sizes = tuple(sizes)
        self._shapes = [shape for inputs, units in pairwise(sizes) for shape in ((inputs, units), (1, units))]
        self._groups = [(function, len(list(run))) for function, run in groupby(functions)]
        self._plain = frozenset(plain)
        self.theta = torch.zeros(len(functions), sum(a * b for a, b in self._shapes), device=device)

    @property
    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Views of weights ``[networks, inputs, units]`` and biases ``[networks, 1, units]``."""
        return self._views(self.theta)

    def activate(self, sums: Tensor) -> Tensor:
        """Return the activations of weighted sums ``[networks, examples, units]``."""
        parts = sums.split([count for _, count in self._groups])
        return torch.cat([function(part) for (function, _), part in zip(self._groups, parts, strict=True)])

    def run(self, inputs: Tensor, theta: Tensor | None = None) -> list[Tensor]:
        """Return the weighted sums of every layer, each ``[networks, examples, units]``.

        Args:
            inputs: ``[examples, inputs]``, the same for all networks.
            theta: Parameters in place of their own.
        """
        values = inputs.expand(len(self.theta), *inputs.shape)
        sums: list[Tensor] = []
        for number, (weight, bias) in enumerate(self._views(self.theta if theta is None else theta)):
            sums.append(torch.baddbmm(bias, values, weight))
            values = sums[-1] if number in self._plain else self.activate(sums[-1])
        return sums

    def gradient(self, inputs: Tensor, loss: Function) -> tuple[Tensor, Tensor]:
        """Return the losses ``[networks]`` and their gradients ``[networks, parameters]``.

        Args:
            inputs: ``[examples, inputs]``.
            loss: Takes the last layer's weighted sums, and gives the loss of each network.
        """
        theta = self.theta.detach().requires_grad_()
        losses = loss(self.run(inputs, theta)[-1])
        (gradient,) = torch.autograd.grad(losses.sum(), theta)
        return losses.detach(), gradient

    def signals(self, inputs: Tensor, loss: Function) -> tuple[list[Tensor], list[Tensor]]:
        """Return the weighted sums of every layer, and the derivatives of the losses by them.

        Args:
            inputs: ``[examples, inputs]``.
            loss: As of ``gradient``.
        """
        sums = self.run(inputs, self.theta.detach().requires_grad_())
        gradients = torch.autograd.grad(loss(sums[-1]).sum(), sums)
        return [one.detach() for one in sums], list(gradients)

    def _views(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        parts = theta.split([a * b for a, b in self._shapes], 1)
        views = [part.unflatten(1, shape) for part, shape in zip(parts, self._shapes, strict=True)]
        return list(zip(views[::2], views[1::2], strict=True))


def cross_entropy(labels: Tensor) -> Function:
    """Return the loss that compares each network's outputs with the same labels.

    Args:
        labels: ``[examples]``.
    """

    def loss(outputs: Tensor) -> Tensor:
        each = functional.cross_entropy(outputs.flatten(0, 1), labels.repeat(len(outputs)), reduction="none")
        return each.view(len(outputs), -1).mean(1)

    return loss


def batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Return the numbers of one epoch's examples in random order, cut into whole batches.

    Args:
        count: How many examples there are.
        size: How many make a batch.
        generator: Draws the order.
    """
    order = torch.randperm(count, generator=generator)
    return [part for part in order.split(size) if len(part) == size]
