"""The ends of a symmetric operator's spectrum, by Lanczos' method with full re-orthogonalisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable

_BREAKDOWN = 1e-6  # a new direction this small beside the operator's size is rounding


@dataclass(frozen=True)
class End:
    """A Ritz value at one end of the spectrum.

    Attributes:
        value: The Ritz value; no eigenvalue at this end lies inside of it (Courant and Fischer).
        residual: ``|A x - value x|``: an eigenvalue lies within this distance (Weinstein).
        error: Estimate of ``value``'s distance to the eigenvalue: ``residual^2 / gap``, at most ``residual`` (Kato and
            Temple), with the gap to the next Ritz value in place of the unknown next eigenvalue.
    """

    value: float
    residual: float
    error: float


class Lanczos:
    """Lanczos' method on flat vectors, which can be continued at any time.

    After ``k`` products ``A Q = Q T + r e_k'``, with ``T`` tridiagonal; the eigenvalues of ``T`` (Ritz values) approach
    the ends of the spectrum first. Every new vector is orthogonalised against all earlier ones. In exact
    arithmetic the coefficients outside the three diagonals vanish; their size is therefore a free measure of how
    far the products are from a symmetric operator, by rounding or otherwise (``noise``).

    Cost: one product and about ``8 k n`` operations for each of ``k`` steps; memory ``k n``.

    Source: Golub and Van Loan, Matrix Computations, 4th edition, sections 10.1 and 10.3.
    """

    def __init__(self, product: Callable[[Tensor], Tensor], start: Tensor, generator: torch.Generator) -> None:
        """Start at ``start``.

        Args:
            product: The operator.
            start: Flat vector, not zero, at least float32; copied.
            generator: Source of new directions where the Krylov space ends early; on the CPU.
        """
        self._product = product
        self._generator = generator
        self._basis = start.new_empty((8, start.numel()))
        self._basis[0] = start / start.norm()
        self._diagonal: list[float] = []
        self._beside: list[float] = []  # beta_k couples vector k to k + 1
        self._solved = (0, torch.empty(0), torch.empty(0))  # products, Ritz values, vectors
        self.noise = 0.0

    @property
    def products(self) -> int:
        """Number of products made."""
        return len(self._diagonal)

    @property
    def complete(self) -> bool:
        """Whether the whole space is spanned, so that the Ritz values are all the eigenvalues."""
        return self.products >= self._basis.shape[1]

    @property
    def eps(self) -> float:
        """Relative rounding of the vectors' type."""
        return torch.finfo(self._basis.dtype).eps

    def extend(self) -> None:
        """Make one more product.

        Raises:
            NotMeasurable: The product is not finite.
        """
        k = self.products
        basis = self._basis[: k + 1]
        image = self._product(basis[k])
        coefficients = _orthogonalise(image, basis)
        beta = float(image.norm())
        column = coefficients.tolist()
        if not all(map(_finite, (beta, *column))):
            raise NotMeasurable("a product with the Hessian is not finite")
        self._note_noise(column)
        self._diagonal.append(column[k])
        scale = max(map(abs, (*self._diagonal, *self._beside)))
        if beta <= _BREAKDOWN * scale or scale == 0:
            beta = 0.0
            image = self._new_direction(basis)
        self._beside.append(beta)
        self._append(image)

    def ends(self) -> tuple[End, End]:
        """Return the smallest and the largest Ritz value."""
        values, vectors = self._ritz()
        residuals = (vectors[-1] * self._beside[-1]).abs().tolist()
        found = values.tolist()
        gaps = [found[1] - found[0], found[-1] - found[-2]] if len(found) > 1 else [0.0, 0.0]
        low, high = (
            End(found[i], residuals[i], min(residuals[i], residuals[i] ** 2 / gap) if gap > 0 else residuals[i])
            for i, gap in zip((0, -1), gaps, strict=True)
        )
        return low, high

    def vector(self, end: int) -> Tensor:
        """Return the unit Ritz vector of the smallest (``end`` 0) or largest (``end`` -1) Ritz value."""
        weights = self._ritz()[1][:, end].to(self._basis)
        vector: Tensor = weights @ self._basis[: self.products]
        return vector.div_(vector.norm())

    def _ritz(self) -> tuple[Tensor, Tensor]:
        """Return the eigenvalues and eigenvectors of ``T``, computed once for each number of products."""
        if self._solved[0] != self.products:
            matrix = torch.diag(torch.tensor(self._diagonal, dtype=torch.float64, device="cpu"))
            beside = torch.tensor(self._beside[:-1], dtype=torch.float64, device="cpu")
            matrix.diagonal(-1).copy_(beside)  # eigh reads the lower triangle only
            values, vectors = torch.linalg.eigh(matrix)
            self._solved = (self.products, values, vectors)
        return self._solved[1:]

    def _note_noise(self, column: list[float]) -> None:
        if len(column) < 2:
            return
        strays = [*column[:-2], column[-2] - self._beside[-1]]
        self.noise = max(self.noise, sum(stray * stray for stray in strays) ** 0.5)

    def _new_direction(self, basis: Tensor) -> Tensor:
        image = random_direction(basis[0], self._generator)
        for _ in range(2):  # a random direction may lie anywhere, not only along the last two
            _orthogonalise(image, basis)
        return image

    def _append(self, image: Tensor) -> None:
        k = self.products
        if k == len(self._basis):
            self._basis = torch.cat([self._basis, torch.empty_like(self._basis)])
        length = image.norm()
        torch.div(image, length if length > 0 else 1.0, out=self._basis[k])


def random_direction(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random unit vector like ``like``, from ``generator`` (on the CPU) and never from the global state.

    Args:
        like: Vector whose size, type and device are wanted.
        generator: Source of randomness.

    Returns:
        A unit vector, uniform on the sphere.
    """
    direction = torch.randn(like.numel(), generator=generator, dtype=like.dtype, device="cpu").to(like.device)
    return direction.div_(direction.norm())


def _orthogonalise(vector: Tensor, basis: Tensor) -> Tensor:
    """Make ``vector`` orthogonal to the rows of ``basis`` in place; return its coefficients in them.

    The last two rows take nearly all of it, so that they come first and one pass over the whole basis is enough.
    """
    near = basis[-2:]
    first = near @ vector
    vector.addmv_(near.T, first, alpha=-1)
    coefficients: Tensor = basis @ vector
    vector.addmv_(basis.T, coefficients, alpha=-1)
    coefficients[-2:] += first
    return coefficients


def _finite(value: float) -> bool:
    return value - value == 0
