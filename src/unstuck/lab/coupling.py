"""How much the steps of the other layers change a layer's gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.lab.layers import forward, task
from unstuck.lab.plots import Floats


@dataclass(frozen=True)
class Coupling:
    """Changes of the gradient of each layer, over its size: the axes are seeds and layers.

    Attributes:
        upstream: When the layers before it have stepped (Santurkar et al. 2018, definition 2.1).
        others: When all other layers have stepped.
        predicted: The same to first order, by the product of the Hessian with the others' steps.
    """

    upstream: Floats
    others: Floats
    predicted: Floats


def coupling(weights: list[Tensor], rate: float) -> Coupling:
    """Measure it at some weights, for steps of gradient descent on the same examples.

    Args:
        weights: Of each layer ``[seeds, inputs + 1, outputs]``.
        rate: Learning rate of the others' steps.
    """
    layers = range(len(weights))
    own = _gradients(weights)
    moved = [weight - rate * step for weight, step in zip(weights, own, strict=True)]
    upstream, others, predicted = [], [], []
    for i in layers:
        size = _norm(own[i])
        before = _gradients([moved[j] if j < i else weights[j] for j in layers])[i]
        all_others = _gradients([weights[j] if j == i else moved[j] for j in layers])[i]
        steps = [torch.zeros_like(step) if j == i else -rate * step for j, step in enumerate(own)]
        upstream.append(_norm(before - own[i]) / size)
        others.append(_norm(all_others - own[i]) / size)
        predicted.append(_norm(_hessian_product(weights, steps)[i]) / size)
    columns = (torch.stack(column, 1).numpy() for column in (upstream, others, predicted))
    return Coupling(*columns)


def _loss(weights: list[Tensor]) -> Tensor:
    """Return half the mean squared error, summed over the networks, which do not touch each other."""
    inputs, wanted = task()
    squares = (forward(weights, inputs)[-1] - wanted).square()
    return squares.sum() / (2 * len(inputs))


def _gradients(weights: list[Tensor]) -> list[Tensor]:
    leaves = [weight.detach().requires_grad_() for weight in weights]
    return list(torch.autograd.grad(_loss(leaves), leaves))


def _hessian_product(weights: list[Tensor], steps: list[Tensor]) -> list[Tensor]:
    leaves = [weight.detach().requires_grad_() for weight in weights]
    slopes = torch.autograd.grad(_loss(leaves), leaves, create_graph=True)
    along = torch.stack([(slope * step).sum() for slope, step in zip(slopes, steps, strict=True)]).sum()
    return list(torch.autograd.grad(along, leaves))


def _norm(tensor: Tensor) -> Tensor:
    return tensor.flatten(1).square().sum(1).sqrt()
