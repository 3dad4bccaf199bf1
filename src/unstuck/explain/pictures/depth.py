"""Pictures of the signal on its way through the layers."""

from __future__ import annotations

import numpy as np

from unstuck.explain.figure import Figure, Floats, curve, over_steps
from unstuck.explain.pictures.deep import HE, RELU, SIGMOID, TANH, TORCH, signals
from unstuck.explain.pictures.descent import descend
from unstuck.report.pictures.plot import Span

_DEPTH = 10
_BACKWARD = "gradient, as a share of the last layer's"


def vanishing_gradient() -> Figure:
    """The backward signal of three networks of ten layers."""
    return _by_layer(
        (
            ("sigmoid, torch's default weights", signals(SIGMOID, [TORCH] * _DEPTH).backward),
            ("tanh, torch's default weights", signals(TANH, [TORCH] * _DEPTH).backward),
            ("relu, He's weights", signals(RELU, [HE] * _DEPTH).backward),
        ),
        Span(1e-8, 10, "log"),
        _BACKWARD,
    )


def exploding_gradient() -> Figure:
    """The backward signal of rectifiers whose weights are too large."""
    found = [(_times(factor), signals(RELU, [factor * HE] * _DEPTH).backward) for factor in (2.5, 1.5, 1)]
    return _by_layer(tuple(found), Span(0.1, 1e5, "log"), _BACKWARD)


def unstable_gradient() -> Figure:
    """The backward signal where layers shrink and grow it in turn."""
    swinging = [HE * (8 if i % 2 else 1 / 8) for i in range(_DEPTH)]
    return _by_layer(
        (
            ("weights in turn 8 times too large and too small", signals(RELU, swinging).backward),
            ("relu, He's weights", signals(RELU, [HE] * _DEPTH).backward),
        ),
        Span(0.01, 100, "log"),
        _BACKWARD,
    )


def bad_initialisation() -> Figure:
    """The forward signal for three sizes of the first weights."""
    found = [(_times(factor), signals(RELU, [factor * HE] * _DEPTH).forward) for factor in (3, 1, 1 / 3)]
    return _by_layer(tuple(found), Span(1e-6, 1e6, "log"), "root mean square of what a layer gives")


def saturated_units() -> Figure:
    """The slopes of tanh and sigmoid, and where each counts as saturated."""
    z = np.linspace(-6, 6, 121)
    edges = np.array([-np.arctanh(0.95), np.arctanh(0.95)])
    far = np.array([-np.log(19), np.log(19)])  # where a sigmoid is 0.05 and 0.95
    curves = (
        curve("slope of tanh", z, TANH[1](z)),
        curve("slope of the sigmoid", z, 4 * SIGMOID[1](z)),
        curve("from here outwards: saturated", [*edges, *far], [*TANH[1](edges), *(4 * SIGMOID[1](far))], dots=True),
    )
    return Figure(Span(-6, 6), Span(0, 1.05), ("pre-activation", "slope, as a share of the largest"), curves)


def dead_units() -> Figure:
    """A rectifier, and what a live and a dead unit give it."""
    z = np.linspace(-7, 3, 201)
    curves = (
        curve("what relu makes of it", z, np.maximum(z, 0) / 3),
        curve("what a live unit adds up", z, np.exp(-(z**2) / 2)),
        curve("what a dead unit adds up", z, np.exp(-((z + 4) ** 2) / 2)),
    )
    return Figure(Span(-7, 3), Span(0, 1.05), ("pre-activation", "scaled to a largest value of 1"), curves)


def unscaled_inputs() -> Figure:
    """Gradient descent at its best step on two features, the second of which is larger."""
    losses = []
    for factor in (1.5, 10, 30):
        curvature = np.array([1.0, factor**2])
        lr = 2 / float(curvature.sum())
        x = descend(lambda x, c=curvature: c * x, [1.0, 1.0 / factor], lr, 200)  # type: ignore[misc]
        label = f"one input {factor:g} times as large as the other"
        losses.append((label, np.sum(curvature * x**2, axis=1) / 2))
    return over_steps(*losses, y=Span(1e-6, 10, "log"))


def _by_layer(found: tuple[tuple[str, Floats], ...], y: Span, title: str) -> Figure:
    layers = np.arange(1, _DEPTH + 1)
    curves = tuple(curve(label, layers, values) for label, values in found)
    return Figure(Span(1, _DEPTH, whole=True), y, ("layer", title), curves)


def _times(factor: float) -> str:
    if factor == 1:
        return "He's weights"
    return f"{factor:g} times He's weights" if factor > 1 else f"1/{1 / factor:g} of He's weights"
