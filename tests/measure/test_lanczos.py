"""Lanczos' method against dense eigenvalues, with the bounds that it promises."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.lanczos import Lanczos, random_direction


def symmetric(size: int, seed: int = 0) -> Tensor:
    matrix = torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (matrix + matrix.T) / 2


def lanczos(matrix: Tensor, products: int, start: Tensor | None = None) -> Lanczos:
    generator = torch.Generator().manual_seed(1)
    method = Lanczos(matrix.mv, random_direction(matrix[0], generator) if start is None else start, generator)
    for _ in range(products):
        method.extend()
    return method


@pytest.mark.parametrize("products", [1, 2, 5, 10, 30, 50])
def test_bounds_hold(products: int) -> None:
    matrix = symmetric(50)
    truth = torch.linalg.eigvalsh(matrix)
    low, high = lanczos(matrix, products).ends()
    assert low.value >= truth[0] - 1e-9
    assert high.value <= truth[-1] + 1e-9
    for end in (low, high):
        assert (truth - end.value).abs().min() <= end.residual + 1e-9


def test_converges_to_the_truth() -> None:
    matrix = symmetric(200)
    truth = torch.linalg.eigvalsh(matrix)
    errors = []
    for products in (5, 20, 60):
        low, high = lanczos(matrix, products).ends()
        errors.append(max(abs(low.value - truth[0]), abs(high.value - truth[-1])))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6


def test_the_vectors_are_eigenvectors() -> None:
    matrix = symmetric(40)
    method = lanczos(matrix, 40)
    for index, end in zip((0, -1), method.ends(), strict=True):
        vector = method.vector(index)
        assert torch.allclose(matrix @ vector, end.value * vector, atol=1e-8)


def test_goes_on_where_the_krylov_space_ends() -> None:
    # From an eigenvector the space ends at once: the other eigenvalues are in directions that have to be drawn.
    matrix = torch.diag(torch.tensor([1.0, 2.0, 5.0, -3.0], dtype=torch.float64))
    method = lanczos(matrix, 4, start=torch.eye(4, dtype=torch.float64)[0])
    low, high = method.ends()
    assert method.complete
    assert (low.value, high.value) == (pytest.approx(-3), pytest.approx(5))


def test_the_zero_operator() -> None:
    low, high = lanczos(torch.zeros(3, 3, dtype=torch.float64), 3).ends()
    assert (low.value, high.value, low.residual) == (0, 0, 0)


def test_noise_is_the_size_of_the_asymmetry() -> None:
    matrix = symmetric(50)
    assert lanczos(matrix, 20).noise < 1e-12
    skew = torch.randn(50, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 1e-3
    noise = lanczos(matrix + skew, 20).noise
    assert 1e-3 < noise < float(torch.linalg.matrix_norm(skew, 2)) * 2


def test_a_product_that_is_not_finite_is_said() -> None:
    with pytest.raises(NotMeasurable, match="not finite"):
        lanczos(torch.full((3, 3), torch.nan, dtype=torch.float64), 1)
