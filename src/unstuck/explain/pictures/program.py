"""Pictures of programs that do not do what they mean to: what is lost between the data and the gradient."""

from __future__ import annotations

import numpy as np

from unstuck.explain.figure import Figure, curve, over_steps
from unstuck.explain.pictures.deep import HE, RELU, signals
from unstuck.explain.pictures.descent import descend
from unstuck.report.pictures.plot import Span


def gradients_not_zeroed() -> Figure:
    """Gradient descent on a parabola, and the same with the sum of all gradients so far."""
    right = descend(lambda x: x, [1.0], 0.05, 60)[:, 0]
    wrong, position, total = [1.0], 1.0, 0.0
    for _ in range(60):
        total += position
        position -= 0.05 * total
        wrong.append(position)
    losses = (("zeroed at every step", right**2 / 2), ("never zeroed", np.square(wrong) / 2))
    return over_steps(*losses, y=Span(0, 0.6))


def parameters_not_trained() -> Figure:
    """Linear regression on two features of equal weight, one of which the optimizer does not hold."""
    all_ = descend(lambda w: w - 1, [0.0, 0.0], 0.05, 100)
    some = descend(lambda w: (w - 1) * np.array([1.0, 0.0]), [0.0, 0.0], 0.05, 100)
    named = (("both weights are trained", all_), ("one weight is left out", some))
    return over_steps(*((label, np.sum((w - 1) ** 2, axis=1) / 2) for label, w in named), y=Span(0, 1.05))


def detached_graph() -> Figure:
    """The gradient per layer with the graph cut behind the fourth of ten layers."""
    whole = signals(RELU, [HE] * 10).backward
    layers = np.arange(1, 11)
    cut = np.where(layers <= 4, 0.0, whole)
    curves = (curve("whole graph", layers, whole), curve("detach() behind layer 4", layers, cut, dots=True))
    title = "gradient, as a share of the last layer's"
    return Figure(Span(1, 10, whole=True), Span(0, 1.6), ("layer", title), curves)


def wrong_gradient() -> Figure:
    """Error of the gradient against central differences of ever smaller width, for f(w) = w^3 and a kink beside it."""
    widths = 0.5 ** np.arange(4, 30)  # powers of two, so that the rounding is the same on every machine
    w, kink = 0.7, 0.7 + 1e-4
    exact = 3 * w * w

    def cubic(w: float) -> float:
        return w * w * w

    smooth = [(cubic(w + h) - cubic(w - h)) / (2 * h) for h in widths]
    bent = [(cubic(w + h) + max(w + h - kink, 0.0) - cubic(w - h)) / (2 * h) for h in widths]
    curves = (
        curve("right", widths, [abs(s - exact) / exact for s in smooth]),
        curve("right, with the kink of a relu close by", widths, [abs(b - exact) / exact for b in bent]),
        curve("off by 1 %", widths, [abs(s - 1.01 * exact) / exact for s in smooth]),
    )
    axes = Span(1e-9, 0.1, "log"), Span(1e-12, 1, "log")
    return Figure(*axes, ("width of the difference", "relative error of the gradient"), curves)


def not_finite() -> Figure:
    """Binary cross-entropy of a wrong answer in single precision: as written by hand, and as the library has it."""
    z = np.linspace(-150, 0, 151)
    with np.errstate(over="ignore", divide="ignore"):
        naive = -np.log(1 / (1 + np.exp(-z.astype(np.float32))))
    finite = np.where(np.isfinite(naive), naive, np.nan)
    label = "log(sigmoid(z)), infinite where there is no dot"
    curves = (curve("logsigmoid(z)", z, np.log1p(np.exp(z)) - z), curve(label, z[::5], finite[::5], dots=True))
    return Figure(Span(-150, 0), Span(0, 160), ("output z of the network", "loss where the target is 1"), curves)


def low_precision() -> Figure:
    """How many weights between 1 and 2 an update leaves as they were, by its relative size."""
    sizes = 10.0 ** np.linspace(-5, -1, 161)
    curves = []
    for label, bits in (("bfloat16", 8), ("float16", 11)):
        half = 2.0**-bits  # half the distance of two neighbours between 1 and 2
        curves.append(curve(label, sizes, np.clip(half / sizes - 1, 0, 1)))
    curves.append(curve("float32", sizes, np.zeros_like(sizes)))
    title = "share of the weights that do not change"
    return Figure(Span(1e-5, 0.1, "log"), Span(0, 1.05), ("update, as a share of the weight", title), tuple(curves))


def wrong_mode() -> Figure:
    """What a batch normalisation gives for inputs with mean 5 and deviation 3, in both modes."""
    steps = np.arange(61)
    left = 0.9**steps  # what is left of the first statistics, at the default momentum
    mean, variance = 5 * (1 - left), 9 - 8 * left
    curves = (
        ("training mode", np.zeros(61)),
        ("evaluation mode, after so many steps of training", (5 - mean) / np.sqrt(variance)),
        ("evaluation mode, never trained", np.full(61, 5.0)),
    )
    return over_steps(*curves, y=Span(-0.4, 5.6), title="mean of what the normalisation gives")
