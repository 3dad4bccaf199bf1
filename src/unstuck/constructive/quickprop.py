"""Quickprop (Fahlman 1988): each weight jumps to the bottom of the parabola through its last two slopes."""

from __future__ import annotations

import torch
from torch import Tensor


class Quickprop:
    """Weights with what quickprop remembers of them, and room for its arithmetic.

    A step is, with slope ``s``, slope before it ``p``, step before it ``d``, ``mu`` and the rate ``eps``::

        step = d * (mu if s is beyond mu/(1+mu) p, in the direction of d, else s / (p - s))
               - eps * s where s still points along d, or d is 0

    Args:
        weights: The weights, any shape; changed in place.
        mu: A step is at most this many times the one before.

    Attributes:
        weights: The weights.
        steps: The last step of each.
        before: The slope before the last step.
        slopes: Room for the slopes; write them here, then call ``update``.
    """

    def __init__(self, weights: Tensor, mu: float) -> None:
        self.weights, self.mu = weights, mu
        self.steps, self.before = torch.zeros_like(weights), torch.zeros_like(weights)
        self._make_room()

    def _make_room(self) -> None:
        self.slopes, self._next, self._work = (torch.empty_like(self.weights) for _ in range(3))
        self._mask = torch.empty_like(self.weights, dtype=torch.bool)
        self._zero = self.weights.new_zeros(())

    def update(self, rate: float, decay: float) -> None:
        """Take a step from the slopes that were written.

        Args:
            rate: Rate of the linear part.
            decay: Part of each weight that is added to its slope.
        """
        s, p, d, step, work, mask = self.slopes, self.before, self.steps, self._next, self._work, self._mask
        if decay:
            s.add_(self.weights, alpha=decay)
        torch.sub(p, s, out=step)
        torch.div(s, step, out=step)
        torch.add(s, p, alpha=-self.mu / (1 + self.mu), out=work).mul_(d)
        torch.le(work, 0, out=mask)
        step.masked_fill_(mask, self.mu).mul_(d)
        torch.mul(s, d, out=work)
        torch.gt(work, 0, out=mask)
        torch.where(mask, self._zero, s, out=work)
        step.add_(work, alpha=-rate)
        self.weights.add_(step)
        self.steps, self._next = step, d
        self.before, self.slopes = s, p

    def kept(self, rows: Tensor) -> Quickprop:
        """Return a copy with only some rows of the first axis.

        Args:
            rows: Their numbers.
        """
        return self._like(*(t.index_select(0, rows) for t in (self.weights, self.steps, self.before)))

    def widened(self, weights: Tensor) -> Quickprop:
        """Return a copy with one more weight at the end of the last axis, which has not moved yet.

        Args:
            weights: The new ones, with a last axis of length 1.
        """
        still = torch.zeros_like(weights)
        parts = ((self.weights, weights), (self.steps, still), (self.before, still))
        return self._like(*(torch.cat(pair, -1) for pair in parts))

    def put(self, row: int, other: Quickprop, place: int) -> None:
        """Copy a row of another one.

        Args:
            row: Row of this one that is overwritten.
            other: The other one, of the same width.
            place: Its row.
        """
        self.weights[row], self.steps[row], self.before[row] = (
            other.weights[place],
            other.steps[place],
            other.before[place],
        )

    def _like(self, weights: Tensor, steps: Tensor, before: Tensor) -> Quickprop:
        new = Quickprop.__new__(Quickprop)
        new.weights, new.steps, new.before, new.mu = weights, steps, before, self.mu
        new._make_room()
        return new
