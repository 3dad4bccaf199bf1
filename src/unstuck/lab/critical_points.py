"""Points where the gradient vanishes: how they are found, and what kind they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Loss of many points at once, each on its own: ``[n, size]`` to ``[n]``.
Loss = Callable[[Tensor], Tensor]

#: A gradient, or an eigenvalue beside the largest, that counts as 0.
STILL, FLAT = 1e-3, 1e-3


def classify(gradient: float, lowest: float, highest: float, scale: float = 1.0) -> str:
    """Return what kind of point it is, in a word or two.

    Args:
        gradient: Length of the gradient.
        lowest: Smallest eigenvalue of the Hessian.
        highest: Largest.
        scale: Length of a gradient, and curvature, that counts as large.

    Returns:
        ``slope``, ``flat``, ``saddle``, ``maximum`` or ``minimum``.
    """
    if gradient > STILL * scale:
        return "slope"
    if max(-lowest, highest) <= STILL * scale:
        return "flat"
    if lowest < -FLAT * max(highest, -lowest):
        return "maximum" if highest <= 0 else "saddle"
    return "minimum"


@dataclass(frozen=True)
class Found:
    """Critical points.

    Attributes:
        places: The points, ``[n, size]``.
        losses: The loss at each, ``[n]``.
        index: Share of the Hessian's eigenvalues that are negative, ``[n]``.
        tried: From how many points the search began.
    """

    places: Tensor
    losses: Tensor
    index: Tensor
    tried: int


def find(loss: Loss, places: Tensor, steps: int, tolerance: float = 1e-7) -> Found:
    """Search critical points by minimising ``|g|^2`` from many points at once.

    Steps are Levenberg and Marquardt's, ``-(H^2 + m I)^-1 H g``, which go to saddles and maxima as willingly as to
    minima; ``m`` falls where a step made the gradient shorter, and rises where not. It is the question of Dauphin et
    al. 2014, who used Newton's method.

    Args:
        loss: The loss.
        places: Where to begin, ``[n, size]``, float64.
        steps: How many steps.
        tolerance: Length of the gradient of those that are kept.

    Returns:
        Those that were found, one of each loss.
    """
    damping = torch.full((len(places), 1, 1), 1e-2, dtype=places.dtype)
    unit = torch.eye(places.shape[1], dtype=places.dtype)
    gradients, hessians = derivatives(loss, places)
    for _ in range(steps):
        pull = (hessians @ gradients[:, :, None]).squeeze(2)
        moved = places - torch.linalg.solve(hessians @ hessians + damping * unit, pull)
        there, curved = derivatives(loss, moved)
        shorter = there.norm(dim=1) < gradients.norm(dim=1)
        places = torch.where(shorter[:, None], moved, places)
        gradients = torch.where(shorter[:, None], there, gradients)
        hessians = torch.where(shorter[:, None, None], curved, hessians)
        damping = torch.where(shorter[:, None, None], damping / 5, damping * 5).clamp(1e-12, 1e6)
    kept = _distinct(loss(places), gradients.norm(dim=1) <= tolerance)
    values = torch.linalg.eigvalsh(hessians[kept])
    negative = values < -1e-6 * values.abs().amax(1, keepdim=True)
    return Found(places[kept], loss(places[kept]), negative.double().mean(1), len(places))


def _distinct(losses: Tensor, kept: Tensor) -> Tensor:
    """Return the numbers of the points that are kept, one of each loss: others are the same with units exchanged."""
    first = {round(value, 9): number for number, value in reversed(list(enumerate(losses.tolist()))) if kept[number]}
    return torch.tensor(sorted(first.values()), dtype=torch.long)


def derivatives(loss: Loss, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return gradients ``[n, size]`` and Hessians ``[n, size, size]`` of many points, a row of all at a time.

    Args:
        loss: The loss.
        places: The points, ``[n, size]``.
    """
    at = places.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(at).sum(), at, create_graph=True)
    rows = [torch.autograd.grad(gradient[:, i].sum(), at, retain_graph=True)[0] for i in range(at.shape[1])]
    return gradient.detach(), torch.stack(rows, 1)


def kinds(loss: Loss, places: Tensor, scale: float = 1.0) -> list[str]:
    """Return the kind of each of some points.

    Args:
        loss: The loss.
        places: The points, ``[n, size]``.
        scale: See ``classify``.
    """
    gradients, hessians = derivatives(loss, places)
    values = torch.linalg.eigvalsh(hessians)
    rows = zip(gradients.norm(dim=1).tolist(), values[:, 0].tolist(), values[:, -1].tolist(), strict=True)
    return [classify(*row, scale) for row in rows]


def descend(loss: Loss, places: Tensor, steps: int, rate: float, momentum: float, keep: int = 0) -> list[Tensor]:
    """Train many networks at once by gradient descent with momentum.

    Args:
        loss: The loss.
        places: Where to begin, ``[n, size]``.
        steps: How many steps.
        rate: Learning rate.
        momentum: Share of the last step that is kept.
        keep: Keep the places after every so many steps; 0 for the last only.

    Returns:
        The places kept, the last at the end.
    """
    velocity = torch.zeros_like(places)
    kept = []
    for step in range(steps):
        if keep and step % keep == 0:
            kept.append(places)
        at = places.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(at).sum(), at)
        velocity = momentum * velocity - rate * gradient
        places = places + velocity
    return [*kept, places]
