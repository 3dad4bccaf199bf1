"""Descents of a quadratic bowl, many at once, and the rates that theory gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unstuck.lab.plots import Floats


@dataclass(frozen=True)
class Rule:
    """A step ``v' = momentum v - rate g(x + peek v), x' = x + v'``.

    Attributes:
        rate: Step size.
        momentum: Share of the last step that is kept.
        peek: Where the gradient is taken along the last step: 0 for heavy ball, the momentum for Nesterov.
    """

    rate: float
    momentum: float = 0.0
    peek: float = 0.0


@dataclass(frozen=True)
class Method:
    """A way of choosing a rule by the ends ``low`` and ``high`` of the Hessian's spectrum.

    Attributes:
        label: Its name.
        rule: The rule for ``(low, high)``.
        factor: What is left of the error after each step, in the long run, at condition number ``k``.
        source: Where the factor stands.
    """

    label: str
    rule: Callable[[float, float], Rule]
    factor: Callable[[float], float]
    source: str

    def steps(self, condition: float, tolerance: float) -> float:
        """Return how many steps the factor alone needs for a tolerance."""
        return math.log(tolerance) / math.log(self.factor(condition))


def _heavy_ball(low: float, high: float) -> Rule:
    root = math.sqrt(high / low)
    return Rule(4 / (math.sqrt(high) + math.sqrt(low)) ** 2, ((root - 1) / (root + 1)) ** 2)


def _nesterov(low: float, high: float) -> Rule:
    root = math.sqrt(high / low)
    momentum = (root - 1) / (root + 1)
    return Rule(1 / high, momentum, momentum)


def _best_nesterov(low: float, high: float) -> Rule:
    root = math.sqrt(3 * high / low + 1)
    momentum = (root - 2) / (root + 2)
    return Rule(4 / (3 * high + low), momentum, momentum)


_POLYAK = "theory: Polyak 1964, Some methods of speeding up the convergence of iteration methods"
_LESSARD = "theory: Lessard, Recht and Packard 2016, Analysis and design of optimization algorithms"

#: The methods that use gradients only, each with the best rate and momentum for a known spectrum.
METHODS = (
    Method("gradient descent", lambda low, high: Rule(2 / (low + high)), lambda k: (k - 1) / (k + 1), _POLYAK),
    Method("Nesterov", _nesterov, lambda k: 1 - 1 / math.sqrt(k), _LESSARD),
    Method("Nesterov, best", _best_nesterov, lambda k: 1 - 2 / math.sqrt(3 * k + 1), _LESSARD),
    Method("heavy ball", _heavy_ball, lambda k: (math.sqrt(k) - 1) / (math.sqrt(k) + 1), _POLYAK),
)


def descend(rules: Sequence[Rule], curvatures: Floats, start: Floats, steps: int) -> Floats:
    """Descend ``E = sum_i c_i x_i^2 / 2`` by several rules at once.

    Args:
        rules: The rules, ``m`` of them.
        curvatures: Eigenvalues of each descent's Hessian, ``[m, d]``.
        start: Where all start, ``[d]``.
        steps: How many steps.

    Returns:
        The points, ``[steps + 1, m, d]``.
    """
    rate, momentum, peek = (np.array([[getattr(r, name)] for r in rules]) for name in ("rate", "momentum", "peek"))
    pull = rate * curvatures
    keep = momentum - pull * peek
    points = np.empty((steps + 1, *curvatures.shape))
    points[0] = start
    velocity = np.zeros_like(curvatures)
    for step in range(steps):
        velocity = keep * velocity - pull * points[step]
        np.add(points[step], velocity, out=points[step + 1])
    return points


def late_factor(errors: Floats) -> float:
    """Return what is left of an error after each step, from the late part of a descent.

    Momentum at its best has a double root, whose error is ``n r^n``: taken from a sixth of the way on, the ``n``
    weighs little.

    Args:
        errors: The error at each step, ``[steps + 1]``; taken as long as it is far from the smallest number.
    """
    end = int(np.flatnonzero(errors > 1e-290)[-1])
    begin = end // 6
    return float(np.exp((np.log(errors[end]) - np.log(errors[begin])) / (end - begin)))
