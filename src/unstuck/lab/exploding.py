"""``exploding``: a chain of single neurons whose gradient grows twenty-five times at every layer."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Series, curves
from unstuck.report.pictures.picture import Picture, Table

_BOOK = "Nielsen, chapter 5: What's causing the vanishing gradient problem?"
_WEIGHT, _LAYERS = 100.0, 4
#: The slope of the sigmoid at 0, where it is steepest.
_STEEPEST = 0.25
_GRID = 4001


class Exploding(Experiment):
    """Show that a gradient is a product of weights and slopes, and that only a narrow window keeps it from vanishing.

    One neuron in each of four layers, all weights 100, biases chosen so that every weighted input is 0: each factor
    ``w sigma'(z)`` is 25. The window of inputs for which a single factor is at least 1 is the chapter's exercise.
    """

    name = "exploding"
    title = "The gradient as a product: exploding and vanishing"
    source = "M. Nielsen, Neural Networks and Deep Learning, chapter 5 (2015)"
    difficulties = ("exploding-gradient", "vanishing-gradient", "unstable-gradient")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Build the chain, differentiate it, and compare with the product term by term."""
        gradients, factors, outer = _chain(0.7)
        ratio = gradients[0] / gradients[2]
        first = gradients[0] / outer
        product = _STEEPEST * math.prod(factors[1:])
        weights = np.linspace(4.0, 20.0, _GRID)
        widths = np.array([window(w) for w in weights])
        measured = np.array([_measured_window(w) for w in weights[:: _GRID // 20]])
        best = int(widths.argmax())
        return Outcome(
            seen=(
                "Each layer multiplies the gradient by its weight times the slope of its sigmoid, here "
                f"{factors[1]:g}, so that the first bias gets {ratio:g} times the gradient of the third.",
                "With weights drawn as usual the same product is below 1/4 at every layer, and the gradient vanishes: "
                "it is unstable by nature, exploding being the rarer case.",
                f"For a factor of at least 1 the weight must be 4 or more, and even then the activation that feeds it "
                f"may vary by no more than {widths[best]:.2f}, which is the case at a weight of {weights[best]:.1f}.",
            ),
            comparisons=(
                Comparison("factor of each layer, w s'(z)", factors[1], "exact", "25", _BOOK, band=(25.0, 25.0)),
                Comparison("dC/db1 over dC/db3", ratio, "exact", "625", _BOOK, band=(625 - 1e-9, 625 + 1e-9)),
                Comparison("dC/db1 over dC/da4, autograd", first, f"the product of its terms: {product:g}", form=".6g"),
                Comparison(
                    "widest window of activations for |w s'(wa+b)| >= 1",
                    float(widths[best]),
                    "",
                    "0.45",
                    _BOOK,
                    band=(0.445, 0.455),
                    form=".3f",
                ),
                Comparison(
                    "weight of the widest window", float(weights[best]), "", "6.9", _BOOK, band=(6.85, 6.95), form=".2f"
                ),
            ),
            pictures=(_windows(weights, widths, measured), _terms(gradients, factors, outer)),
            settings={
                "layers": f"{_LAYERS}, one neuron each",
                "weights": f"{_WEIGHT:g}",
                "biases": "b1 = -100 a0, the others -50, so that every weighted input is 0",
                "activation": "sigmoid",
                "precision": "float64",
            },
        )


def window(weight: float) -> float:
    """Return the width of the range of activations ``a`` with ``|w s'(wa + b)| >= 1``.

    Args:
        weight: The weight ``w``, at least 4: the slope of a sigmoid is at most 1/4.

    Returns:
        ``(2/w) ln(w (1 + sqrt(1 - 4/w)) / 2 - 1)``, whatever the bias (Nielsen, chapter 5, second exercise).
    """
    return 2 / weight * math.log(weight * (1 + math.sqrt(1 - 4 / weight)) / 2 - 1)


def _measured_window(weight: float) -> float:
    """Return the same width by counting points of a fine grid, at bias 0."""
    grid = np.linspace(-1.0, 1.0, 200_001)
    slope = 1 / (2 + np.exp(weight * grid) + np.exp(-weight * grid))
    return float((weight * slope >= 1).sum() * (grid[1] - grid[0]))


def _chain(a0: float) -> tuple[list[float], list[float], float]:
    """Return dC/db of each layer, the factors ``w s'(z)``, and dC/da of the last layer, for ``C = (a - 1)^2 / 2``."""
    biases = [
        torch.tensor(b, dtype=torch.float64, requires_grad=True)
        for b in (-_WEIGHT * a0, *[-_WEIGHT / 2] * (_LAYERS - 1))
    ]
    a: Tensor = torch.tensor(a0, dtype=torch.float64)
    factors = []
    for bias in biases:
        z = _WEIGHT * a + bias
        a = torch.sigmoid(z)
        factors.append(float(_WEIGHT * (a * (1 - a)).detach()))
    outer = torch.autograd.grad((a - 1) ** 2 / 2, [a, *biases])
    return [float(g) for g in outer[1:]], factors, float(outer[0])


def _windows(weights: np.ndarray, widths: np.ndarray, measured: np.ndarray) -> Picture:
    sparse = weights[:: _GRID // 20]
    return curves(
        "exploding-window",
        "The window in which a gradient does not shrink",
        "How far the activation that a neuron gets may vary while the factor of its layer stays at least 1. Below a "
        "weight of 4 there is no such activation. Dots: counted on a grid.",
        [Series("formula", weights, widths), Series("counted", sparse, measured, "dots", colour=1)],
        Axis("weight"),
        Axis("width of the window", limits=(0.0, 0.5)),
    )


def _terms(gradients: list[float], factors: list[float], outer: float) -> Picture:
    layers = list(range(1, _LAYERS + 1))
    share = [abs(g / outer) for g in gradients]
    rows = tuple((f"layer {n}", f"{f:g}", f"{g:.6g}") for n, f, g in zip(layers, factors, share, strict=True))
    return curves(
        "exploding-terms",
        "Gradient of the biases, from the last layer back to the first",
        "The gradient of each layer's bias over that of the last activation, on a logarithmic scale: a straight line, "
        "25 times more at every layer.",
        [Series("|dC/db| / |dC/da4|", layers, share), Series("", layers, share, "dots", colour=0)],
        Axis("layer", whole=True),
        Axis("gradient, logarithmic scale", "log"),
        Table("Gradient by layer", ("layer", "factor w s'(z)", "|dC/db| / |dC/da4|"), rows),
    )
