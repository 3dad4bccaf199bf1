"""The fast transform against the matrix, and what the hash keeps of an angle."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.lab.walsh_hadamard import hashed, transform


def hadamard(n):
    """Return Sylvester's matrix, entry by entry."""
    return np.array([[(-1.0) ** (i & j).bit_count() for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("n", [1, 2, 4, 32])
def test_it_is_the_product_with_the_hadamard_matrix(n):
    vectors = np.random.default_rng(0).normal(size=(2, 3, n))
    before = vectors.copy()
    assert transform(vectors) == pytest.approx(vectors @ hadamard(n), abs=1e-12)
    assert (vectors == before).all()
    assert transform(transform(vectors)) == pytest.approx(n * vectors)


@pytest.mark.parametrize("n", [0, 3, 12])
def test_other_lengths_are_refused(n):
    with pytest.raises(ValueError, match=f"power of two; got {n}"):
        transform(np.zeros((2, n)))


def test_bits_are_signs_and_differ_in_the_share_of_the_angle():
    random = np.random.default_rng(1)
    n, angle = 4096, 0.25 * np.pi
    flips = random.choice([-1.0, 1.0], (2, n))
    a, b = np.linalg.qr(random.normal(size=(n, 2)))[0].T
    bits = hashed(np.stack([a, np.cos(angle) * a + np.sin(angle) * b]), flips)
    assert set(np.unique(bits)) == {-1.0, 1.0}
    assert (bits[0] != bits[1]).mean() == pytest.approx(0.25, abs=0.03)  # 4 standard errors


def test_two_rounds_mix_also_a_vector_of_one_number():
    flips = np.random.default_rng(2).choice([-1.0, 1.0], (2, 1024))
    bits = hashed(np.eye(1024)[:2], flips)
    assert abs((bits[0] * bits[1]).mean()) < 0.13  # of independent bits: 4 standard errors
