"""First weights, and what theory says they do to a signal on its way through a deep network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.networks import Function

#: Weights ``[inputs, units]`` from their shape.
Scheme = Callable[[int, int, torch.Generator], Tensor]

#: Nodes of the quadrature over a normal distribution; relu's kink at 0 lies between two of them.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(100)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()
#: How near to 1 LSUV brings a layer's variance, and how often it tries (Mishkin and Matas 2016).
_NEAR, _TRIES = 0.1, 10


def torch_default(inputs: int, units: int, generator: torch.Generator) -> Tensor:
    """Return weights as ``torch.nn.Linear`` draws them: uniform to ``1/sqrt(n)``, variance ``1/(3 n)``."""
    return _uniform(inputs, units, inputs**-0.5, generator)


def glorot(inputs: int, units: int, generator: torch.Generator) -> Tensor:
    """Return weights of variance ``2/(inputs + units)``, uniform (Glorot and Bengio 2010)."""
    return _uniform(inputs, units, math.sqrt(6 / (inputs + units)), generator)


def he(inputs: int, units: int, generator: torch.Generator) -> Tensor:
    """Return normal weights of variance ``2/inputs`` (He et al. 2015)."""
    return torch.randn(inputs, units, generator=generator) * math.sqrt(2 / inputs)


def orthogonal(inputs: int, units: int, generator: torch.Generator) -> Tensor:
    """Return a matrix whose shorter side is orthonormal, uniform among all such (Saxe et al. 2014)."""
    flipped = inputs < units
    q, r = torch.linalg.qr(torch.randn(*sorted((inputs, units), reverse=True), generator=generator))
    spread: Tensor = q * r.diagonal().sign()
    return spread.T if flipped else spread


def lsuv(sizes: Sequence[int], function: Function, inputs: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Return orthogonal weights, scaled layer by layer until the weighted sums of some inputs have variance 1.

    Args:
        sizes: Units of each layer, the inputs first.
        function: Activation between the layers.
        inputs: ``[examples, inputs]``.
        generator: Draws the orthogonal weights.
    """
    weights: list[Tensor] = []
    for shape in pairwise(sizes):
        weight = orthogonal(*shape, generator).to(inputs.device)
        values = function(inputs @ weights[-1]) if weights else inputs
        for _ in range(_TRIES):
            variance = (values @ weight).var()
            if abs(variance - 1) < _NEAR:
                break
            weight = weight / variance.sqrt()
        weights.append(weight)
        inputs = values
    return weights


def theory(gain: float, function: Function, depth: int, start: float = 1.0) -> tuple[list[float], list[float]]:
    """Return what the mean-field theory of wide networks predicts, layer by layer.

    Args:
        gain: ``s_w^2``, the variance of the weights times the inputs of a unit; NaN where each layer is scaled so that
            its weighted sums have mean square 1 (LSUV).
        function: The activation ``phi``.
        depth: Number of layers.
        start: Mean square of the network's inputs.

    Returns:
        Mean square ``q`` of each layer's weighted sums, ``q' = s_w^2 E[phi(sqrt(q) z)^2]`` for a normal ``z``; and
        between each two layers ``chi = s_w^2 E[phi'(sqrt(q) z)^2]``, the factor of the gradient's mean square
        (Schoenholz et al. 2017, equations 3 and 10).
    """
    scaled = math.isnan(gain)
    squares, factors = [1.0 if scaled else gain * start], []
    for _ in range(depth - 1):
        value, slope = _moments(function, squares[-1])
        gained = 1 / value if scaled else gain
        factors.append(gained * slope)
        squares.append(gained * value)
    return squares, factors


def product_of_layers(layers: int, units: int, generator: torch.Generator) -> tuple[float, float]:
    """Return the largest and the mean squared singular value of a product of normal matrices of variance ``1/units``.

    Args:
        layers: How many matrices.
        units: Their side.
        generator: Draws them.
    """
    product = torch.eye(units, dtype=torch.float64)
    for _ in range(layers):
        product = torch.randn(units, units, dtype=torch.float64, generator=generator) @ product / math.sqrt(units)
    values = torch.linalg.svdvals(product) ** 2
    return float(values[0]), float(values.mean())


def _moments(function: Function, square: float) -> tuple[float, float]:
    """Return ``E[phi^2]`` and ``E[phi'^2]`` at normal sums of mean square ``square``."""
    sums = torch.tensor(_NODES * math.sqrt(square), requires_grad=True)
    values = function(sums)
    (slopes,) = torch.autograd.grad(values.sum(), sums)
    square_of_value, square_of_slope = (
        float((one.detach().numpy() ** 2 * _NODE_WEIGHTS).sum()) for one in (values, slopes)
    )
    return square_of_value, square_of_slope


def _uniform(inputs: int, units: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(inputs, units, generator=generator) * 2 - 1) * limit
