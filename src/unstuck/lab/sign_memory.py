"""A memory of one weight per bit of a hash, and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.lab.plots import Floats
from unstuck.lab.walsh_hadamard import hashed

#: Rounds of sign flips and transforms.
ROUNDS = 2


@dataclass(frozen=True)
class Noise:
    """Noise at one load, over the spread of what is stored: root mean squares.

    Attributes:
        once: Of what was stored, each once.
        new: Of vectors that were never stored, after full training.
        left: Of what was stored, after full training.
    """

    once: float
    new: float
    left: float


def patterns(n: int, size: int, random: np.random.Generator) -> Floats:
    """Return the hashes of random vectors.

    Args:
        n: Bits.
        size: How many vectors.
        random: Draws the vectors and the sign flips.

    Returns:
        Signs, ``[size, n]``.
    """
    flips = random.choice([-1.0, 1.0], (ROUNDS, n))
    return hashed(random.normal(size=(size, n)), flips)


def passed(bits: Floats, numbers: Floats, weights: Floats) -> Floats:
    """Return the weights after one pass over all patterns in turn, each adding what is missing.

    Args:
        bits: Signs, ``[m, n]``.
        numbers: What is to be stored, ``[m]``.
        weights: Those before, ``[n]``; left as they are.
    """
    result = weights.copy()
    n = bits.shape[1]
    for row, number in zip(bits, numbers, strict=True):
        result += (number - row @ result) / n * row
    return result


def measure(n: int, load: float, seed: int) -> Noise:
    """Fill a memory, once and by full training, and return its noise.

    Args:
        n: Bits.
        load: Numbers to store for each bit.
        seed: Of all that is drawn.
    """
    random = np.random.default_rng([seed, int(1000 * load)])
    m = count(n, load)
    bits = patterns(n, 2 * m, random)
    stored, unseen = bits[:m], bits[m:]
    numbers = random.normal(size=m)
    once = stored.T @ numbers / n
    full = np.linalg.lstsq(stored, numbers, rcond=None)[0]
    return Noise(_rms(stored @ once - numbers), _rms(unseen @ full), _rms(stored @ full - numbers))


def repeat(n: int, load: float, passes: int, seed: int) -> Floats:
    """Return the noise of what is stored after 0, 1, 2 ... passes.

    Args:
        n: Bits.
        load: Numbers to store for each bit.
        passes: How many passes.
        seed: Of all that is drawn.
    """
    random = np.random.default_rng([seed, 1])
    bits = patterns(n, count(n, load), random)
    numbers, weights = random.normal(size=len(bits)), np.zeros(n)
    noise = [_rms(numbers)]
    for _ in range(passes):
        weights = passed(bits, numbers, weights)
        noise.append(_rms(bits @ weights - numbers))
    return np.array(noise)


def overfull(n: int, seed: int) -> tuple[int, float]:
    """Return how many numbers are a quarter too many, and the noise that no training takes away.

    Args:
        n: Bits.
        seed: Of all that is drawn.
    """
    random = np.random.default_rng([seed, 2])
    bits = patterns(n, n + n // 4, random)
    numbers = random.normal(size=len(bits))
    return len(bits), _rms(bits @ np.linalg.lstsq(bits, numbers, rcond=None)[0] - numbers)


def count(n: int, load: float) -> int:
    """Return how many numbers make a load.

    Args:
        n: Bits.
        load: Numbers to store for each bit.
    """
    return round(load * n)


def unseen_theory(n: int, load: float) -> float:
    """Return the noise that new vectors are expected to have after full training.

    Args:
        n: Bits.
        load: Numbers stored for each bit, below 1.

    Returns:
        ``sqrt(m / (n - m - 1))``: the mean squared length of the smallest weights that store m numbers of variance 1
        on normal vectors (mean of the inverse Wishart matrix), times the variance 1 of a bit.
    """
    m = count(n, load)
    return float(np.sqrt(m / (n - m - 1)))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
