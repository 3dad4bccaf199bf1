"""The fast Walsh-Hadamard transform, and the hash that sign flips and it make of a vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unstuck.lab.plots import Floats


def transform(vectors: Floats) -> Floats:
    """Multiply vectors by the Hadamard matrix in n log2 n additions.

    Args:
        vectors: ``[..., n]``, n a power of two; left as they are.

    Returns:
        ``vectors @ H``, of the same shape, with ``H[i, j] = (-1) ** (bits that i and j share)`` (Sylvester's order).
        Twice is n times the vectors: over ``sqrt(n)`` it keeps lengths.

    Raises:
        ValueError: The length is no power of two.
    """
    n = vectors.shape[-1]
    if n < 1 or n & (n - 1):
        raise ValueError(f"the length must be a power of two; got {n}")
    result = np.array(vectors, dtype=np.float64)
    half = 1
    while half < n:
        pairs = result.reshape(*vectors.shape[:-1], n // (2 * half), 2, half)
        first, second = pairs[..., 0, :].copy(), pairs[..., 1, :]
        pairs[..., 0, :] += second
        np.subtract(first, second, out=second)
        half *= 2
    return result


def hashed(vectors: Floats, flips: NDArray[np.float64]) -> Floats:
    """Return the signs of vectors after rounds of sign flips and transforms: a locality-sensitive hash.

    Two vectors differ in about the share ``angle / pi`` of the bits, as under random hyperplanes (Goemans and
    Williamson 1995; Charikar 2002).

    Args:
        vectors: ``[m, n]``, n a power of two.
        flips: Signs, ``[rounds, n]``; two rounds serve also vectors with few non-zero numbers.

    Returns:
        Bits of -1 or 1, ``[m, n]``.
    """
    mixed = vectors
    for signs in flips:
        mixed = transform(mixed * signs)
    return np.where(mixed < 0, -1.0, 1.0)
