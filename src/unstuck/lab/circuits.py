"""Circuits of threshold units that tell whether an odd number of bits is on, built by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from unstuck.lab.plots import Floats


@dataclass(frozen=True)
class Circuit:
    """A layered network of threshold units.

    Attributes:
        layers: Weights ``[units, inputs]`` and biases ``[units]`` of each layer; the last is the output.
    """

    layers: tuple[tuple[Floats, Floats], ...]

    @property
    def units(self) -> int:
        """How many units it has, the output among them."""
        return sum(len(bias) for _, bias in self.layers)

    @property
    def depth(self) -> int:
        """How many layers a signal passes, the output among them."""
        return len(self.layers)

    def outputs(self, bits: Floats, gain: float | None = None) -> Floats:
        """Return the output of each input.

        Args:
            bits: Inputs of 0 and 1, ``[cases, n]``.
            gain: Steepness of sigmoid units, which a gradient can pass; threshold units where None.

        Returns:
            The output, ``[cases]``: 0 or 1, or near to it.
        """
        values = bits
        for weight, bias in self.layers:
            sums = values @ weight.T + bias
            values = (sums > 0).astype(np.float64) if gain is None else 1 / (1 + np.exp(-gain * sums))
        return values[:, 0]


def cases(n: int) -> tuple[Floats, Floats]:
    """Return all inputs of n bits, ``[2 ** n, n]``, and their parities, ``[2 ** n]``.

    Args:
        n: Bits.
    """
    bits = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
    return bits, bits.sum(1) % 2


def terms(n: int) -> Circuit:
    """Return the disjunctive normal form: one unit for each input of odd parity, and one that is on if any of them is.

    Args:
        n: Bits.

    Returns:
        A circuit of two layers and ``2 ** (n - 1)`` hidden units.
    """
    bits, parity = cases(n)
    odd: Floats = bits[parity == 1]
    sums: Floats = odd.sum(1)
    return Circuit(((2 * odd - 1, 0.5 - sums), (np.ones((1, len(odd))), np.array([-0.5]))))


def counting(n: int) -> Circuit:
    """Return the circuit whose k-th hidden unit is on when k bits or more are; the output adds them with turns of sign.

    Args:
        n: Bits.

    Returns:
        A circuit of two layers and n hidden units.
    """
    least: Floats = np.arange(1, n + 1, dtype=np.float64)
    turns: Floats = np.where(least % 2, 1.0, -1.0)
    return Circuit(((np.ones((n, n)), 0.5 - least), (turns[None], np.array([-0.5]))))


def tree(n: int) -> Circuit:
    """Return the tree of exclusive ors of two: each is on when its inputs' or is, and their and is not.

    Args:
        n: Bits, a power of two.

    Returns:
        A circuit of ``2 log2 n`` layers and ``3 (n - 1)`` units, the output among them.

    Raises:
        ValueError: The number of bits is no power of two.
    """
    if n < 2 or n & (n - 1):
        raise ValueError(f"the number of bits must be a power of two, 2 or more; got {n}")
    layers = []
    while n > 1:
        n //= 2
        pairs, ors = np.eye(n).repeat(2, 1), np.eye(n)
        layers.append((np.concatenate([pairs, pairs]), np.repeat([-0.5, -1.5], n)))
        layers.append((np.concatenate([ors, -ors], 1), np.full(n, -0.5)))
    return Circuit(tuple(layers))


def shortest_term(n: int) -> int:
    """Return how many bits the shortest term fixes that is true for odd inputs only, found by trying all.

    Args:
        n: Bits; there are ``3 ** n`` terms.
    """
    bits, parity = cases(n)
    lengths = []
    for term in itertools.product((0.0, 1.0, None), repeat=n):
        covered = np.all([(bits[:, k] == value) for k, value in enumerate(term) if value is not None] or [True], axis=0)
        if parity[np.broadcast_to(covered, parity.shape)].all():
            lengths.append(sum(value is not None for value in term))
    return min(lengths)
