"""What the experiment on the surface measures: critical points, straight lines, and restarts of XOR."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from unstuck.lab.critical_points import Found, descend, find, kinds
from unstuck.lab.flat_network import FlatNetwork
from unstuck.lab.plots import Floats
from unstuck.lab.small_images import load_digits

#: The networks: one small enough for its whole Hessian, one of a usual shape, and one with little room.
CRITICAL, LINE, XOR = FlatNetwork((4, 3, 3)), FlatNetwork((49, 30, 10)), FlatNetwork((2, 2, 1))
DECAY = 1e-2
#: Points of a straight line.
POINTS = 41


def critical(seeds: int, steps: int, generator: torch.Generator) -> Found:
    """Return critical points of the small network, searched from places along trainings.

    Args:
        seeds: How many trainings.
        steps: Steps of the search.
        generator: Source of first weights.
    """
    images, labels, _ = load_digits(600, 7)
    chosen = torch.nonzero(labels < 3).squeeze(1)[:60]
    targets = one_hot(labels[chosen], 3).double()
    # Their four principal components, so that the network has few weights and its Hessian few rows.
    left, sizes, _ = torch.linalg.svd(images[chosen].double() - images[chosen].double().mean(0), full_matrices=False)
    inputs = left[:, : CRITICAL.sizes[0]] * sizes[: CRITICAL.sizes[0]]

    def loss(places: Tensor) -> Tensor:
        data = _cross_entropy(CRITICAL.outputs(places, inputs), targets)
        return data + DECAY / 2 * places.square().sum(-1)

    starts = CRITICAL.draw(seeds, generator, torch.float64)
    along = torch.cat(descend(loss, starts, 300, 0.1, 0.9, 50))
    stretched = torch.cat([along * stretch for stretch in (0.3, 1.0, 3.0)])
    return find(loss, stretched, steps)


def lines_of(seeds: int, count: int, generator: torch.Generator) -> Floats:
    """Return the loss along each straight line, ``[points, seeds]``.

    Args:
        seeds: How many networks.
        count: Examples.
        generator: Source of first weights.
    """
    inputs, labels, _ = load_digits(count, 7)
    targets = one_hot(labels, 10).float()

    def losses(places: Tensor) -> Tensor:
        return _cross_entropy(LINE.outputs(places, inputs), targets)

    first = LINE.draw(seeds, generator)
    last = descend(losses, first, 300, 0.1, 0.9)[-1]
    with torch.no_grad():
        shares = torch.linspace(0, 1, POINTS).tolist()
        return torch.stack([losses(torch.lerp(first, last, share)) for share in shares]).double().numpy()


def restarts(seeds: int, steps: int, generator: torch.Generator) -> tuple[Floats, list[str]]:
    """Return the last loss of each seed of XOR, and the kind of its last point.

    Args:
        seeds: How many.
        steps: Steps of each.
        generator: Source of first weights.
    """
    inputs = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    targets = torch.tensor([-0.9, 0.9, 0.9, -0.9], dtype=torch.float64)

    def loss(places: Tensor) -> Tensor:
        return (torch.tanh(XOR.outputs(places, inputs).squeeze(-1)) - targets).square().mean(-1) / 2

    places = descend(loss, XOR.draw(seeds, generator, torch.float64), steps, 0.2, 0.9)[-1]
    return loss(places).numpy(), kinds(loss, places)


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return -(torch.log_softmax(outputs, -1) * targets).sum(-1).mean(-1)
