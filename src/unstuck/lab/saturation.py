"""``saturation``: deep networks of sigmoid, tanh and softsign, and what the scale of the first weights does to them."""

from __future__ import annotations

import numpy as np

from unstuck.lab.data import load_images
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.lab.saturation_runs import (
    FULL,
    KINDS,
    QUICK,
    RATES,
    Course,
    Size,
    first_gradients,
    mean_singular_value,
    train,
)
from unstuck.report.pictures.picture import Picture, Table

_PAPER = "Glorot and Bengio 2010"
_ERRORS = f"{_PAPER}, table 1: MNIST, five hidden layers"
_FORMULA = f"{_PAPER}: n Var[W] per layer, 1/3 standard and 1 normalised, for units near their linear part"
#: Test errors of five hidden layers in per cent, as published.
_PUBLISHED = {"sigmoid": "2.21", "tanh": "1.76", "tanh N": "1.64", "softsign": "1.64", "softsign N": "1.72"}
_SCALES = ("tanh", "tanh N")
_DEEP, _SIGMOID = 5, 4
#: Activation of a sigmoid below which it is called flat: its slope is less than a tenth of 1.
_FLAT = 0.1


class Saturation(Experiment):
    """Show why deep sigmoid networks get stuck, and why weights that keep the gradient's size from layer to layer help.

    Four hidden layers of sigmoids learn digits while their activations are watched: the last hidden layer goes to 0
    first. At the start of tanh networks, the gradient and the layers' Jacobians are measured with the standard first
    weights, uniform to ``1/sqrt(n)``, and with the normalised ones, uniform to ``sqrt(6/(n + m))``.
    """

    name = "saturation"
    title = "Saturated layers, and the scale of the first weights"
    source = "X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward networks (2010)"
    difficulties = ("saturated-units", "vanishing-gradient", "bad-initialisation")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Measure at the start, then train four sigmoid layers, and five layers of each kind."""
        size = QUICK if setting.quick else FULL
        images = load_images(size.images, 10_000)
        setting.say("gradients and Jacobians at the start")
        gradients = {kind: first_gradients(kind, _DEEP, setting, size, images) for kind in _SCALES}
        singular = {kind: mean_singular_value(kind, _DEEP, setting, size, images) for kind in _SCALES}
        (sigmoid,) = train(("sigmoid",), _SIGMOID, size.sigmoid_epochs, setting, size, images)
        courses = train(tuple(KINDS), _DEEP, size.epochs, setting, size, images)
        shrunk = {kind: float(one[0] / one[-1]) for kind, one in gradients.items()}
        top = sigmoid.mean[:, -1]
        errors = {course.kind: 100 * course.error for course in courses}
        best, worst = min(errors, key=lambda kind: errors[kind]), max(errors, key=lambda kind: errors[kind])
        return Outcome(
            seen=(
                f"Of {_SIGMOID} hidden layers of sigmoids, the last goes from a mean activation of {top[0]:.2f} to "
                f"{top.min():.3f} within {int(top.argmin())} epochs, {_where(top)}; {_after(top)}.",
                f"With the standard first weights, the gradient that reaches the first of {_DEEP} tanh layers is "
                f"{shrunk['tanh']:.2f} times that of the last, with the normalised ones {shrunk['tanh N']:.2f} times; "
                f"on average over directions a layer multiplies by {singular['tanh']:.2f} or {singular['tanh N']:.2f}.",
                f"After {size.epochs} epochs the test error of {_DEEP} hidden layers is {errors[worst]:.1f} % with "
                f"{worst} and {errors[best]:.1f} % with {best} (N: normalised first weights).",
            ),
            comparisons=(*_starts(singular, shrunk), _lowest(top, size), *_ends(errors, size)),
            pictures=(_activations(sigmoid), _backwards(gradients), _flat(courses)),
            settings={
                "data": f"{images.name}: {len(images.inputs)} to train on, {len(images.test_inputs)} to test, "
                f"300 of these to watch",
                "networks": f"{_SIGMOID} or {_DEEP} hidden layers of {size.width}, softmax, cross-entropy",
                "first weights": "standard: uniform to 1/sqrt(n); normalised (N): uniform to sqrt(6/(n + m)); biases 0",
                "descent": f"batches of 10, constant rates: {', '.join(f'{k} {r:g}' for k, r in RATES.items())}; "
                f"{size.sigmoid_epochs} epochs for {_SIGMOID} layers of sigmoids, {size.epochs} for {_DEEP} layers",
                "at the start": f"tanh, {_DEEP} hidden layers of {size.wide}; standard deviation of dC/dz over 300 "
                f"images; Jacobians between hidden layers at {size.points} images",
                "saturated": "tanh and softsign beyond 0.95, sigmoid outside 0.05 to 0.95",
            },
            notes=(
                "Test errors are not compared: the published networks were larger and were trained to the end, at the "
                "best of several rates.",
                "The formula for the gradient leaves out that a tanh is less steep away from 0.",
                *([images.note] if images.note else []),
            ),
        )


def _starts(singular: dict[str, float], shrunk: dict[str, float]) -> list[Comparison]:
    rows = []
    for kind, words, mean in (("tanh N", "normalised", 0.8), ("tanh", "standard", 0.5)):
        what, band = f"mean singular value of a layer's Jacobian, {words}", (mean - 0.05, mean + 0.05)
        rows.append(Comparison(what, singular[kind], "", f"about {mean}", _PAPER, "remembered", band, ".3f"))
    for kind, words, factor in (("tanh N", "normalised", 1.0), ("tanh", "standard", 1 / 3)):
        what = f"gradient at hidden layer 1 over layer {_DEEP}, {words}"
        ratio = f"{factor ** ((_DEEP - 1) / 2):.3g} (formula)"
        rows.append(Comparison(what, shrunk[kind], "", ratio, _FORMULA, "remembered", form=".3f"))
    return rows


def _lowest(top: Floats, size: Size) -> Comparison:
    what = f"lowest mean activation of the last of {_SIGMOID} layers of sigmoids"
    spread = f"in epoch {int(top.argmin())} of {size.sigmoid_epochs}"
    return Comparison(what, float(top.min()), spread, "near 0", _PAPER, "remembered", form=".3f")


def _ends(errors: dict[str, float], size: Size) -> list[Comparison]:
    rows = []
    for kind, error in errors.items():
        what, spread = f"test error, {_DEEP} hidden layers, {kind} (%)", f"{size.epochs} epochs"
        rows.append(Comparison(what, error, spread, _PUBLISHED[kind], _ERRORS, "remembered", form=".2f"))
    return rows


def _where(top: Floats) -> str:
    if top.min() < _FLAT:
        return "where a sigmoid is flat and lets little gradient through"
    return "on the way to 0, where a sigmoid is flat"


def _after(top: Floats) -> str:
    """Say whether the last layer comes back: at least half of the way to where a sigmoid is steepest."""
    low = int(top.argmin())
    back = np.flatnonzero(top[low:] > (top[low] + 0.5) / 2)
    if len(back):
        return f"it comes back by epoch {low + int(back[0])}"
    return f"it has not come back by epoch {len(top) - 1} ({top[-1]:.3f})"


def _activations(course: Course) -> Picture:
    epochs = np.arange(len(course.mean))
    return curves(
        "saturation-sigmoid",
        f"Mean activation of {_SIGMOID} hidden layers of sigmoids",
        "Mean over units and held-out images after each epoch, with one standard deviation on both sides. Layer "
        f"{_SIGMOID} is the last before the output. At 0 a sigmoid is flat; at 0.5 it is steepest.",
        [
            Series(f"layer {n + 1}", epochs, mean, low=mean - spread, high=mean + spread)
            for n, (mean, spread) in enumerate(zip(course.mean.T, course.spread.T, strict=True))
        ],
        Axis("epoch", whole=True),
        Axis("activation", limits=(0.0, 1.0)),
    )


def _backwards(gradients: dict[str, Floats]) -> Picture:
    layers = np.arange(1, _DEEP + 1)
    words = {"tanh": "standard first weights", "tanh N": "normalised"}
    rows = tuple((f"layer {n}", *(f"{gradients[kind][n - 1]:.3g}" for kind in _SCALES)) for n in layers)
    return curves(
        "saturation-gradient",
        "The gradient on its way back, before the first step",
        f"Standard deviation of the gradient at each of {_DEEP} hidden layers of tanh; layer {_DEEP} gets it first.",
        [Series(words[kind], layers, one, "dashed" if kind == "tanh" else "line") for kind, one in gradients.items()],
        Axis("hidden layer", whole=True),
        Axis("standard deviation of dC/dz", "log"),
        Table("Gradient by layer", ("", *(words[kind] for kind in _SCALES)), rows),
    )


def _flat(courses: list[Course]) -> Picture:
    layers = np.arange(1, _DEEP + 1)
    colours = {"sigmoid": 0, "tanh": 1, "softsign": 2}
    rows = tuple((course.kind, *(f"{share:.1%}" for share in course.flat[-1])) for course in courses)
    return curves(
        "saturation-share",
        "Activations that are flat at the end",
        f"Share of the activations of each of {_DEEP} hidden layers that lie where the function is nearly flat, after "
        "training. Dashed: normalised first weights.",
        [
            Series(
                course.kind,
                layers,
                100 * course.flat[-1],
                "dashed" if course.kind.endswith(" N") else "line",
                colours[course.kind.removesuffix(" N")],
            )
            for course in courses
        ],
        Axis("hidden layer", whole=True),
        Axis("saturated (%)", limits=(0.0, max(5.0, 105 * max(float(course.flat[-1].max()) for course in courses)))),
        Table("Saturated share by layer", ("", *(f"layer {n}" for n in layers)), rows),
    )
