"""``moving-target``: layers that chase each other, and what depth costs apart from that."""

from __future__ import annotations

import numpy as np

from unstuck.lab.coupling import coupling
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.layers import BITS, WIDTH, draw
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.lab.ways import RATES, SAME, WAYS, Depth, train_in_all_ways
from unstuck.report.pictures.picture import Picture, Table

_SANTURKAR = "theory: the change is of first order in the others' steps (Santurkar et al. 2018, definition 2.1)"
_COUPLED = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_DEPTH = 3


class MovingTarget(Experiment):
    """Show that each layer's gradient is changed by the other layers' steps, and test whether that slows deep networks.

    First the change is measured, with its first-order prediction. Then networks of growing depth learn parity in four
    ways: the layers step together or one after the other, and the product of the slopes, which dilutes the gradient of
    the first layers, is left in or divided out.
    """

    name = "moving-target"
    title = "The moving target: layers that chase each other"
    source = (
        "Fahlman and Lebiere, The cascade-correlation learning architecture, CMU-CS-90-100 (1990); "
        "Santurkar et al., How does batch normalization help optimization? (2018)"
    )
    difficulties = ("vanishing-gradient", "step-too-large")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Measure the coupling, and train networks of all depths in all ways."""
        seeds, limit, depths = (6, 400, (1, 2, 3)) if setting.quick else (20, 1000, (1, 2, 3, 4))
        setting.say("coupling")
        weights = draw(_DEPTH, seeds, setting.seed)
        measured = [coupling(weights, rate) for rate in _COUPLED]
        others, upstream, predicted = (
            np.array([np.median(values) for values in column])
            for column in (
                [one.others for one in measured],
                [one.upstream[:, 1:] for one in measured],
                [one.predicted for one in measured],
            )
        )
        runs = {}
        for depth in depths:
            setting.say(f"hidden layers: {depth}")
            runs[depth] = train_in_all_ways(depth, seeds, limit, setting.seed)
        tenth, one = _COUPLED.index(0.1), _COUPLED.index(1.0)
        growth = float(others[_COUPLED.index(0.01)] / others[_COUPLED.index(0.001)])
        first, last, same = runs[depths[0]].epochs, runs[depths[-1]].epochs, runs[depths[-1]].same
        return Outcome(
            seen=(
                f"While a layer takes a step, the others take theirs: at a learning rate of 0.1 that changes its "
                f"gradient by {others[tenth]:.0%} of its size, at 1 by {others[one]:.0%}, and at small rates in "
                "proportion to the rate, as the Hessian foretells.",
                f"From {depths[0]} to {depths[-1]} hidden layers training goes from {_told(first[0], limit)} to "
                f"{_told(last[0], limit)} epochs at the best rate, while the product of the slopes falls to "
                f"{runs[depths[-1]].slope:.2f}; with that product divided out it is {_told(last[2], limit)}.",
                "When the layers step one after the other, none by a gradient that is out of date, the deepest network "
                f"needs {_told(last[1], limit)} epochs in place of {_told(last[0], limit)} at the best rate of each, "
                f"and {_told(same[1], limit)} in place of {_told(same[0], limit)} at a rate of {SAME:g}: that is what "
                "the chase within one step costs, though an epoch in turn takes a gradient for each layer.",
            ),
            comparisons=(
                Comparison(
                    "change of the gradient at rate 0.01 over that at 0.001",
                    growth,
                    f"{seeds} seeds",
                    "10",
                    _SANTURKAR,
                    band=(9.0, 11.0),
                    form=".2f",
                ),
                Comparison(
                    "change at rate 0.1, over the gradient", float(others[tenth]), _spread(measured[tenth].others)
                ),
                Comparison("change at rate 1, over the gradient", float(others[one]), _spread(measured[one].others)),
                Comparison(
                    "first-order prediction over the change, at rate 0.001",
                    float(predicted[0] / others[0]),
                    "",
                    "1",
                    "theory: the Hessian times the others' steps",
                    band=(0.98, 1.02),
                    form=".3f",
                ),
                *(
                    Comparison(
                        f"epochs, {depth} hidden, {way}", count, f"rate {rate:g}; {share:.0%} of {seeds} arrived"
                    )
                    for depth, run in runs.items()
                    for way, count, share, rate in zip(WAYS, run.epochs, run.arrived, run.rates, strict=True)
                ),
            ),
            pictures=(_changes(others, upstream, predicted), _depths(runs, limit)),
            settings={
                "task": f"parity of {BITS} bits of -1 and 1, all 16 inputs",
                "network": f"hidden layers of {WIDTH} tanh units, linear output, normal weights of variance 1 / inputs",
                "coupling": f"{_DEPTH} hidden layers, first weights; medians over layers and {seeds} seeds",
                "rule": f"gradient descent, half the mean squared error; best of {', '.join(map(str, RATES))}",
                "learned": "every output on the right side",
                "one after the other": "first layer first; each once an epoch, by a gradient of the weights as they "
                "then are, which costs as many gradients as there are layers",
                "undiluted": "on the way back the slopes of each hidden layer are divided by their mean",
                "limit": f"{limit} epochs; a network that needs more counts as {limit}",
                "precision": "float64",
            },
            notes=(
                "The coupling is evidence that layers depend on each other, no proof that this makes training slow: "
                "with batch normalization Santurkar et al. saw faster training without less of it.",
                "Stepping in turn takes away only what is out of date within one step. That a layer's task changes "
                "over many epochs while the others learn stays in both; adding units one at a time takes that away.",
                "Dividing the slopes out lengthens the steps of the first layers, so that not all it saves need be "
                "dilution.",
                "The publications give no numbers for these tasks; theory stands in their place.",
            ),
        )


def _told(epochs: float, limit: int) -> str:
    return f"more than {limit}" if epochs >= limit else f"{epochs:.0f}"


def _spread(values: Floats) -> str:
    low, high = np.percentile(values, [5, 95])
    return f"{low:.3g} to {high:.3g}, layers and seeds"


def _changes(others: Floats, upstream: Floats, predicted: Floats) -> Picture:
    return curves(
        "moving-target-coupling",
        "How much the others' steps change a layer's gradient",
        "Change over the size of the gradient, by the learning rate of the steps. Below the line's bend a tenth of the "
        "rate makes a tenth of the change: the coupling is there at any rate, and small at small ones.",
        [
            Series("all other layers step", _COUPLED, others),
            Series("the layers before it step", _COUPLED, upstream, colour=1),
            Series("all others, to first order (Hessian)", _COUPLED, predicted, "dashed", colour=2),
            Series("", _COUPLED, others, "dots", colour=0),
            Series("", _COUPLED, upstream, "dots", colour=1),
        ],
        Axis("learning rate, logarithmic scale", "log"),
        Axis("change of the gradient, logarithmic scale", "log"),
    )


def _depths(runs: dict[int, Depth], limit: int) -> Picture:
    depths = list(runs)
    series = []
    for number, way in enumerate(WAYS):
        counts = [run.epochs[number] for run in runs.values()]
        series.append(Series(way, depths, counts, "dashed" if number % 2 else "line", colour=number))
        series.append(Series("", depths, counts, "dots", colour=number))
    rows = tuple((str(d), f"{run.slope:.3f}", *(f"{count:.0f}" for count in run.epochs)) for d, run in runs.items())
    return curves(
        "moving-target-depth",
        "Epochs by depth",
        f"Medians at the best rate of each way; {limit} stands for not at all. What lies between a full line and its "
        "dashed one is the cost of steps that are out of date; between the two full ones, that of dilution.",
        series,
        Axis("hidden layers", whole=True),
        Axis("epochs, logarithmic scale", "log"),
        Table("Epochs by depth", ("hidden layers", "product of slopes", *WAYS), rows),
    )
