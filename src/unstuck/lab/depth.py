"""Nielsen's sigmoid networks, many at once: closed-form gradients, one product per layer for all of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from unstuck.lab.plots import Floats

PIXELS, UNITS, CLASSES = 784, 30, 10
#: Where it stands.
BOOK = "M. Nielsen, Neural Networks and Deep Learning, chapter 5 (2015)"
REPOSITORY = "Nielsen's repository, fig/ (JSON)"


class Networks:
    """Networks ``784-30-...-30-10`` of one depth, all units sigmoid, cost the sum of the outputs' cross-entropies.

    Weights begin as N(0, 1 / inputs), biases as N(0, 1), as in the book's ``network2.py``. Examples are columns: the
    activations of a layer are ``[k, units, batch]``.
    """

    def __init__(self, hidden: int, seeds: Sequence[int], device: str = "cpu") -> None:
        """Draw them.

        Args:
            hidden: Hidden layers.
            seeds: One for each network.
            device: Where they are trained.
        """
        self.sizes = [PIXELS, *[UNITS] * hidden, CLASSES]
        drawn = [_draw(self.sizes, seed) for seed in seeds]
        self.weights = [torch.stack(layer).to(device) for layer in zip(*(w for w, _ in drawn), strict=True)]
        self.biases = [torch.stack(layer).to(device) for layer in zip(*(b for _, b in drawn), strict=True)]

    def activations(self, x: Tensor) -> list[Tensor]:
        """Return the input and what each layer makes of it.

        Args:
            x: Images, ``[k, 784, batch]``, or ``[784, batch]`` where all networks see the same.
        """
        found = [x]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if found[-1].dim() == 2:
                z = torch.addmm(bias.flatten(0, 1), weight.flatten(0, 1), x).unflatten(0, weight.shape[:2])
            else:
                z = torch.baddbmm(bias, weight, found[-1])
            found.append(z.sigmoid_())
        return found

    def deltas(self, activations: Sequence[Tensor], targets: Tensor) -> list[Tensor]:
        """Return dC/dz of each layer and example, ``[k, units, batch]``.

        Args:
            activations: What :meth:`activations` gave.
            targets: One-hot classes, ``[k, 10, batch]`` or ``[10, batch]``.
        """
        found = [activations[-1] - targets]
        for weight, a in zip(self.weights[:0:-1], activations[-2:0:-1], strict=True):
            found.append(torch.ops.aten.sigmoid_backward(torch.bmm(weight.mT, found[-1]), a))
        return found[::-1]

    def step(self, activations: Sequence[Tensor], deltas: Sequence[Tensor], rate: float, shrink: float) -> None:
        """Take a step of gradient descent on the mean cost of a batch, with decay of the weights.

        Args:
            activations: Of the batch.
            deltas: Of the batch.
            rate: Learning rate, eta.
            shrink: What is taken off each weight, ``eta lambda / n`` of it.
        """
        each = -rate / deltas[0].shape[-1]
        for weight, bias, a, d in zip(self.weights, self.biases, activations[:-1], deltas, strict=True):
            if a.dim() == 2:
                weight.flatten(0, 1).addmm_(d.flatten(0, 1), a.mT, beta=1 - shrink, alpha=each)
            else:
                weight.baddbmm_(d, a.mT, beta=1 - shrink, alpha=each)
            bias.add_(d.sum(-1, keepdim=True), alpha=each)


def speeds(deltas: Sequence[Tensor]) -> Floats:
    """Return how fast the hidden layers learn: ``||mean over examples of dC/db||``, ``[hidden, k]``.

    Args:
        deltas: Of some examples.
    """
    return torch.stack([d.mean(-1).norm(dim=-1) for d in deltas[:-1]]).double().cpu().numpy()


def cost(outputs: Tensor, targets: Tensor) -> Floats:
    """Return the mean cost of each network, without decay, ``[k]``.

    Args:
        outputs: ``[k, 10, batch]``.
        targets: ``[10, batch]``.
    """
    a = outputs.double().clamp(1e-12, 1 - 1e-12)
    each = -(targets * a.log() + (1 - targets) * (1 - a).log())
    return each.sum(-2).mean(-1).cpu().numpy()


def accuracy(outputs: Tensor, labels: Tensor) -> Floats:
    """Return the share of examples that each network gets right, ``[k]``.

    Args:
        outputs: ``[k, 10, batch]``.
        labels: ``[batch]``.
    """
    return (outputs.argmax(-2) == labels).double().mean(-1).cpu().numpy()


def one_hot(labels: Tensor) -> Tensor:
    """Return classes as columns, ``[10, batch]``.

    Args:
        labels: ``[batch]``.
    """
    return torch.nn.functional.one_hot(labels, CLASSES).T.float().contiguous()


def _draw(sizes: Sequence[int], seed: int) -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    biases = [torch.randn(out, 1, generator=generator) for out in sizes[1:]]
    weights = [torch.randn(out, into, generator=generator) / into**0.5 for into, out in itertools.pairwise(sizes)]
    return weights, biases
