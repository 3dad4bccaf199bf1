"""``depth-curves``: the speeds of the layers over 500 epochs, and what they do not show: that nothing is learned."""

from __future__ import annotations

import time

import numpy as np

from unstuck.lab.data import load_mnist
from unstuck.lab.depth import BOOK, REPOSITORY
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.one_by_one import seconds_per_example
from unstuck.lab.plateau import IMAGES, Course, curvature, escape, prior, train
from unstuck.lab.plots import Axis, Series, curves
from unstuck.report.pictures.picture import Picture, Table

_EPOCHS = 500
_RATE, _DECAY = 0.1, 5.0
#: Speeds of the hidden layers at epoch 499, and the largest over the smallest of them, as published.
_PUBLISHED = {2: (0.00343, 0.00963), 3: (8.56e-5, 2.18e-4, 1.26e-3), 4: (8.21e-6, 2.61e-5, 1.83e-4, 9.25e-4)}
#: Interventions on four hidden layers: learning rate and decay.
_CHANGES = ((1.0, 0.0), (1.0, 5.0), (0.1, 0.0))
_LONG = 1100
_CONCLUSION = ": it is no minimum, but a saddle too flat for the small step, on which the decay holds them."
#: Examples that the slow way is timed on.
_TIMED = 50


class DepthCurves(Experiment):
    """Show that the gap between the layers stays while they train, and where the deep networks really end.

    The networks of the book, full batch on 1000 images. Then three interventions on the deepest: a larger step without
    decay, a larger step with it, no decay alone.
    """

    name = "depth-curves"
    title = "The speeds of the layers over 500 epochs"
    source = BOOK
    difficulties = ("vanishing-gradient", "weight-decay-too-strong", "saddle")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train all depths, then intervene."""
        epochs, seeds, long = (120, 1, 700) if setting.quick else (_EPOCHS, 3, _LONG)
        numbers = range(setting.seed, setting.seed + seeds)
        found, each = {}, 0.0
        for hidden in _PUBLISHED:
            began = time.process_time()
            found[hidden] = train(hidden, list(numbers), epochs, _RATE, _DECAY, setting.device)
            each = (time.process_time() - began) / (epochs * seeds * IMAGES)
            setting.say(f"{hidden} hidden layers, {epochs} epochs")
        images, labels = load_mnist("train")
        factor = seconds_per_example(4, images[:_TIMED], labels[:_TIMED], _TIMED) / each
        changed = {}
        for rate, decay in _CHANGES:
            changed[rate, decay] = train(4, list(numbers), long, rate, decay, setting.device)
            setting.say(f"4 hidden layers, eta {rate:g}, lambda {decay:g}, {long} epochs")
        constant, majority = prior()
        four = found[4]
        ratio = float(np.median(four.speeds[:, -1] / four.speeds[:, 0]))
        when = {change: [escape(one, constant) for one in course.costs.T] for change, course in changed.items()}
        left = {change: sum(epoch is not None for epoch in epochs) for change, epochs in when.items()}
        low, high = curvature(changed[_RATE, 0.0].networks, 0)
        setting.say("curvature on the plateau")
        return Outcome(
            seen=(
                f"Over {epochs} epochs the last of four hidden layers learns {ratio:.0f} times as fast as the first in "
                "the median: the gap does not close by itself.",
                f"What the curves do not show is where these networks end: at a cost of {four.costs[-1].mean():.4f}, "
                f"where the best constant answer has {constant:.4f}, and with {100 * four.accuracy.mean():.1f} % of "
                f"the images right, where the commonest class alone is {100 * majority:.1f} %.",
                f"With a step ten times as large and no decay {left[1.0, 0.0]} of {seeds} leave that plateau"
                f"{_at(when[1.0, 0.0])}, with the decay {left[1.0, 5.0]}, with the small step and no decay "
                f"{left[0.1, 0.0]}"
                f"{_CONCLUSION if left[1.0, 0.0] > left[1.0, 5.0] and low < 0 else '.'}",
            ),
            comparisons=(
                *(row for hidden in found for row in _ends(hidden, found[hidden], setting.quick)),
                *_where(found, constant, majority),
                *(
                    Comparison(
                        f"4 hidden, eta {rate:g}, lambda {decay:g}: left the plateau within {long} epochs, of {seeds}",
                        left[rate, decay],
                        f"{100 * course.accuracy.min():.0f} to {100 * course.accuracy.max():.0f} % right at the end",
                    )
                    for (rate, decay), course in changed.items()
                ),
                Comparison(
                    "4 hidden, eta 0.1, lambda 0, plateau: smallest curvature",
                    low,
                    f"the largest is {high:.3g}, so that a step of eta {2 / high:.0f} would still be stable",
                    form=".2g",
                ),
                Comparison(
                    "time of a network, one example after the other in NumPy, over ours",
                    factor,
                    f"four hidden layers, {_TIMED} examples side by side",
                    form=".3g",
                    timed=True,
                ),
            ),
            pictures=(
                *(_speeds(hidden, found[hidden]) for hidden in (2, 4)),
                _costs({**{(_RATE, _DECAY): four}, **changed}, constant),
            ),
            settings={
                "networks": "784-30-...-30-10, sigmoid, weights N(0, 1/inputs), biases N(0, 1)",
                "training": f"full batch of the first {IMAGES} images, eta {_RATE}, {epochs} epochs",
                "decay": f"lambda {_DECAY:g} over n = {IMAGES}: fifty times that of the accuracies, where n is 50,000",
                "speed": "norm of the mean over the images of dC/db of a layer, before each step",
                "seeds": f"{setting.seed} to {setting.seed + seeds - 1}",
                "precision": "float32",
            },
            notes=(
                "The curves depend on the draw: the published ones are one draw each. The bands are ours, a factor of "
                "three either way.",
                "Where the networks end, and what makes them learn, is not in the book.",
                *((f"The short form stops at epoch {epochs}; its ends are not compared.",) if setting.quick else ()),
            ),
        )


def _at(when: list[int | None]) -> str:
    known = [epoch for epoch in when if epoch is not None]
    return f" (at epoch {', '.join(map(str, known))})" if known else ""


def _ends(hidden: int, course: Course, quick: bool) -> list[Comparison]:
    published = _PUBLISHED[hidden]
    last = course.speeds[-1]
    pairs = [(f"speed of layer {n + 1}", last[n], published[n]) for n in (0, hidden - 1)]
    pairs.append(("last over first", last[-1] / last[0], published[-1] / published[0]))
    return [
        Comparison(
            f"{hidden} hidden, epoch {len(course.speeds) - 1}: {what}, median",
            float(np.median(values)),
            f"{values.min():.3g} to {values.max():.3g}",
            "" if quick else f"{value:.3g}",
            "" if quick else f"{REPOSITORY}, epoch {_EPOCHS - 1}",
            band=None if quick else (value / 3, value * 3),
            form=".3g",
        )
        for what, values, value in pairs
    ]


def _where(found: dict[int, Course], constant: float, majority: float) -> list[Comparison]:
    rows = [Comparison("cost of the best constant answer", constant, "entropy of the class frequencies", form=".4f")]
    for hidden, course in found.items():
        share = 100 * course.accuracy
        rows += [
            Comparison(
                f"{hidden} hidden: cost at the end",
                float(course.costs[-1].mean()),
                f"{course.costs[-1].min():.4f} to {course.costs[-1].max():.4f}",
                form=".4f",
            ),
            Comparison(
                f"{hidden} hidden: training images right at the end, per cent",
                float(share.mean()),
                f"{share.min():.1f} to {share.max():.1f}; commonest class {100 * majority:.1f}",
                form=".1f",
            ),
        ]
    deepest = found[max(found)]
    rows.append(
        Comparison(
            f"{max(found)} hidden: how far the last hidden layer varies over the images",
            float(deepest.spread.max()),
            "standard deviation of an activation, largest of the seeds",
            form=".2g",
        )
    )
    return rows


def _speeds(hidden: int, course: Course) -> Picture:
    epochs = range(len(course.speeds))
    middle = np.exp(np.log(course.speeds).mean(-1))
    rows = tuple(
        (f"layer {n + 1}", *(f"{middle[e, n]:.2e}" for e in (0, len(middle) // 2, len(middle) - 1)))
        for n in range(hidden)
    )
    head = ("", "first epoch", "half way", "last epoch")
    return curves(
        f"depth-curves-{hidden}",
        f"Speeds of the layers, {hidden} hidden layers",
        "Norm of the mean gradient of the biases before each step, on a logarithmic scale; mean of the seeds, with "
        "their range.",
        [
            Series(
                f"layer {n + 1}",
                epochs,
                middle[:, n],
                low=course.speeds[:, n].min(-1),
                high=course.speeds[:, n].max(-1),
            )
            for n in range(hidden)
        ],
        Axis("epoch", whole=True),
        Axis("speed, logarithmic scale", "log"),
        Table("Speeds by layer", head, rows),
    )


def _costs(courses: dict[tuple[float, float], Course], constant: float) -> Picture:
    series = [
        Series(
            f"eta {rate:g}, lambda {decay:g}",
            range(len(course.costs)),
            course.costs.mean(-1),
            low=course.costs.min(-1),
            high=course.costs.max(-1),
        )
        for (rate, decay), course in courses.items()
    ]
    longest = max(len(course.costs) for course in courses.values())
    series.append(Series("best constant answer", [0, longest - 1], [constant, constant], "dashed", colour=5))
    return curves(
        "depth-curves-costs",
        "Four hidden layers: what lets them learn",
        "Cost without decay; mean of the seeds, with their range. The dashed line is the cost of a network that gives "
        "the frequencies of the classes, whatever the image.",
        series,
        Axis("epoch", whole=True),
        Axis("cost", limits=(0.0, 4.0)),
    )
