"""``initialisation``: five ways to draw the first weights, and what many layers leave of signal and gradient."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from unstuck.lab import depth_signal
from unstuck.lab.data import load_images
from unstuck.lab.depth_race import DEPTH, FUNCTIONS, GAINS, LEVEL, PAIRS, RATES, SHAPE, Size, measure, race
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Bar, Floats, Series, bars, curves
from unstuck.report.pictures.picture import Picture, Table

_THEORY = "mean-field theory of wide networks: chi = s_w^2 E[phi'^2]"
_PRODUCT = "theory of products of wide Gaussian matrices (Pennington et al. 2017): s_max^2 about e L"
_LINEAR = 10
#: Those whose factor is set beside theory in the table; the pictures show all.
_COMPARED = [("default", "relu"), ("Glorot", "relu"), ("He", "relu"), ("Glorot", "tanh"), ("orthogonal", "tanh")]
_FULL, _QUICK = Size(300, 200, 5, 3, 1000), Size(200, 100, 3, 1, 300)


class Initialisation(Experiment):
    """Show how the first weights keep, lose or blow up signal and gradient through depth, and what that costs in steps.

    Thirty layers get random inputs: the mean square of signal and gradient is measured at each, beside the theory of
    wide networks. Then networks of ten layers learn digits from such weights, each at the best of three rates.
    """

    name = "initialisation"
    title = "First weights: what thirty layers leave of the signal"
    source = (
        "X. Glorot and Y. Bengio (2010); K. He et al. (2015); A. Saxe et al. (2014); D. Mishkin and J. Matas (2016); "
        "J. Pennington et al. (2017)"
    )
    difficulties = ("bad-initialisation", "vanishing-gradient", "exploding-gradient")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Send signals through thirty layers, multiply matrices, and train."""
        size = _QUICK if setting.quick else _FULL
        images = load_images(5_000, 1, halved=True)
        setting.say("signal and gradient through thirty layers")
        squares, gradients = measure(setting, size)
        largest, mean = _products(setting, size)
        steps = race(setting, size, images)
        factors = (gradients[:, 0] / gradients[:, -1]) ** (1 / (DEPTH - 1))
        place = {pair: number for number, pair in enumerate(PAIRS)}
        left = {pair: squares[number, -1] / squares[number, 0] for pair, number in place.items()}
        first, he = place["default", "relu"], place["He", "relu"]
        middle = {pair: float(np.median(steps[number])) for pair, number in place.items()}
        quickest = min(middle, key=lambda pair: middle[pair])
        late = [f"{name} with {function}" for (name, function), count in middle.items() if count >= size.steps]
        return Outcome(
            seen=(
                f"With torch's default weights and relu, each of the {DEPTH} layers leaves {factors[first]:.2f} of the "
                f"gradient's mean square, and of the signal's only {left['default', 'relu']:.0e} is left at the end; "
                f"He's weights keep a factor of {factors[he]:.2f}.",
                f"Theory knows these factors beforehand, {_chi('default', 'relu'):.2f} and {_chi('He', 'relu'):.2f}. "
                f"But they are means: a product of {_LINEAR} random matrices keeps the mean square, and multiplies it "
                f"by {largest:.0f} in one direction, which a product of orthogonal ones never does.",
                f"When networks of ten layers learn digits, {quickest[0]} with {quickest[1]} is the first at a loss of "
                f"{LEVEL:g}, after {middle[quickest]:.0f} steps; "
                + (f"not there after {size.steps} steps: {', '.join(late)}." if late else "all get there."),
            ),
            comparisons=(
                *(_compare(pair, float(factors[place[pair]])) for pair in _COMPARED),
                Comparison(
                    f"largest squared singular value, product of {_LINEAR} Gaussian layers",
                    largest,
                    f"their mean: {mean:.2f}, theory 1",
                    f"{math.e * _LINEAR:.1f}",
                    _PRODUCT,
                    "remembered",
                    band=(0.85 * math.e * _LINEAR, 1.15 * math.e * _LINEAR),
                    form=".1f",
                ),
                *(
                    Comparison(
                        f"steps to a loss of {LEVEL:g}: {name}, {function}",
                        middle[name, function],
                        _range(steps[place[name, function]], size),
                        form=".0f",
                    )
                    for name, function in PAIRS
                ),
            ),
            pictures=(*(_signal(function, squares, gradients) for function in FUNCTIONS), _bars(steps, size)),
            settings={
                "signal": f"{DEPTH} layers of {size.width}, biases 0, {size.examples} normal inputs, "
                f"geometric mean over {size.draws} draws",
                "factor": f"mean square of dC/dz at layer 1 over that at layer {DEPTH}, to the power 1/{DEPTH - 1}",
                "default": "uniform to 1/sqrt(n), as torch.nn.Linear; its biases are left at 0",
                "product": f"{_LINEAR} matrices of {3 * size.width} by {3 * size.width}, float64, mean over 3 draws",
                "training": f"{images.name}, {len(images.inputs)} images; {len(SHAPE)} hidden layers of {SHAPE[0]}, "
                f"plain descent, batch {size.batch}, {size.steps} steps, rates {', '.join(map(str, RATES))}, the best "
                f"of them for each; {size.seeds} seeds, the same batches for all",
                "level": f"cross-entropy of the first 500 training images, looked at every {size.every} steps",
                "precision": "float32",
            },
            notes=(
                "Steps to a level are ours: nothing is published for these networks.",
                *([images.note] if images.note else []),
            ),
        )


def _chi(name: str, function: str) -> float:
    """Return theory's factor of the gradient's mean square, as a mean over the layers."""
    factors = depth_signal.theory(GAINS[name], FUNCTIONS[function], DEPTH)[1]
    return float(np.exp(np.mean(np.log(factors))))


def _compare(pair: tuple[str, str], factor: float) -> Comparison:
    chi = _chi(*pair)
    what = f"factor of the gradient's mean square per layer: {pair[0]}, {pair[1]}"
    band = (0.93 * chi, 1.07 * chi)
    return Comparison(what, factor, "", f"{chi:.3f}", _THEORY, "remembered", band=band, form=".3f")


def _range(steps: Floats, size: Size) -> str:
    least, most = steps.min(), steps.max()
    if most >= size.steps:
        return f"not there in {size.steps} steps: {(steps >= size.steps).sum()} of {len(steps)}"
    return f"{least:.0f} to {most:.0f}, {len(steps)} seeds" if len(steps) > 1 else ""


def _products(setting: Setting, size: Size) -> tuple[float, float]:
    generator = torch.Generator().manual_seed(setting.seed)
    draws = np.array([depth_signal.product_of_layers(_LINEAR, 3 * size.width, generator) for _ in range(3)])
    return float(draws[:, 0].mean()), float(draws[:, 1].mean())


def _signal(function: str, squares: Floats, gradients: Floats) -> Picture:
    layers = np.arange(1, DEPTH + 1)
    chosen = [(number, name) for number, (name, other) in enumerate(PAIRS) if other == function]
    predicted = {name: depth_signal.theory(GAINS[name], FUNCTIONS[function], DEPTH)[0] for _, name in chosen}
    lines = [Series(name, layers, squares[n], colour=place) for place, (n, name) in enumerate(chosen)]
    every = slice(2, None, 5)
    dots = [
        Series("", layers[every], predicted[name][every], "dots", colour=place)
        for place, (_, name) in enumerate(chosen)
    ]
    rows = tuple(
        (name, f"{squares[n, -1]:.2g}", f"{predicted[name][-1]:.2g}", f"{gradients[n, 0] / gradients[n, -1]:.2g}")
        for n, name in chosen
    )
    return curves(
        f"initialisation-{function}",
        f"The signal through {DEPTH} layers of {function}",
        "Mean square of each layer's weighted sums; at the start it is that of a random input. Dots: what theory says "
        "for very wide layers. Glorot and orthogonal lie on each other.",
        [*lines, *dots],
        Axis("layer", whole=True),
        Axis("mean square of the weighted sums", "log"),
        Table(
            f"After {DEPTH} layers of {function}",
            ("weights", "signal measured", "signal by theory", "gradient, first layer over last"),
            rows,
        ),
    )


def _bars(steps: Floats, size: Size) -> Picture:
    rows = []
    for number, (name, function) in enumerate(PAIRS):
        median, out = float(np.median(steps[number])), steps[number].max() >= size.steps
        bar = Bar(f"{name}, {function}", median, colour=list(FUNCTIONS).index(function))
        note = f"{median:.0f}" if median < size.steps else f"over {size.steps}"
        spread = size.seeds > 1 and not out
        low, high = (float(steps[number].min()), float(steps[number].max())) if spread else (None, None)
        rows.append(replace(bar, note=note, low=low, high=high))
    whiskers = "Whiskers: lowest and highest of the seeds." if size.seeds > 1 else ""
    return bars(
        "initialisation-steps",
        f"Steps until the loss is {LEVEL:g}",
        f"Networks of {len(SHAPE)} hidden layers that learn digits, each at the best of {len(RATES)} rates. A run that "
        f"is not there after {size.steps} steps has a bar of that length. {whiskers}",
        rows,
        Axis("steps", limits=(0.0, float(size.steps)), whole=True),
        [(number, function) for number, function in enumerate(FUNCTIONS)],
    )
