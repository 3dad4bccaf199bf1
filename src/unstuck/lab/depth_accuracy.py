"""``depth-accuracy``: sigmoid networks of one to four hidden layers, and what more depth does for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.data import TRAINING, load_mnist
from unstuck.lab.depth import BOOK, Networks, accuracy, one_hot
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.one_by_one import seconds_per_example
from unstuck.lab.plots import Axis, Bar, Floats, Series, bars, curves
from unstuck.report.pictures.picture import Picture

_RATE, _DECAY, _BATCH = 0.1, 5.0, 10
#: What a step takes off each weight; in the short form as in the full one.
_SHRINK = _RATE * _DECAY / TRAINING
_PUBLISHED = {1: 96.48, 2: 96.90, 3: 96.57, 4: 96.53}
#: Half the width of the band, in per cent: about three times the standard deviation between seeds.
_BAND = 0.6
#: Batches that the slow way is timed on.
_TIMED = 25


@dataclass(frozen=True)
class _Form:
    images: int
    epochs: int
    seeds: int


_FULL, _QUICK = _Form(TRAINING, 30, 12), _Form(10_000, 6, 2)


class DepthAccuracy(Experiment):
    """Show that more hidden layers hardly help a sigmoid network on digits: its first layers learn too slowly.

    The networks of the book, trained on 50,000 digits for 30 epochs; all seeds of a depth are trained as one.
    """

    name = "depth-accuracy"
    title = "Accuracy against depth: sigmoid networks of one to four hidden layers"
    source = BOOK
    difficulties = ("vanishing-gradient", "unstable-gradient")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train all depths."""
        form = _QUICK if setting.quick else _FULL
        images, labels = (part[: form.images].to(setting.device) for part in load_mnist("train"))
        validation = tuple(part.to(setting.device) for part in load_mnist("validation"))
        seeds = range(setting.seed, setting.seed + form.seeds)
        found, seconds = {}, {}
        for hidden in _PUBLISHED:
            began = time.perf_counter()
            found[hidden] = 100 * train(hidden, seeds, (images, labels), validation, form.epochs, setting)
            seconds[hidden] = time.perf_counter() - began
            setting.say(f"{hidden} hidden: {found[hidden][-1].mean():.2f} %, {seconds[hidden]:.0f} s")
        factor = _faster(images, labels, form.seeds)
        last = {hidden: curve[-1] for hidden, curve in found.items()}
        mean = {hidden: float(final.mean()) for hidden, final in last.items()}
        best = max(mean, key=lambda hidden: mean[hidden])
        first = {hidden: float(curve[0].mean()) for hidden, curve in found.items()}
        return Outcome(
            seen=(
                f"With one hidden layer the network gets {mean[1]:.2f} % of the validation images right, with four "
                f"{mean[4]:.2f} %; the best of the four depths is {best}, with {mean[best]:.2f} %.",
                f"After the first epoch it is {first[1]:.0f} % with one hidden layer and {first[4]:.0f} % with four: "
                "the deep ones begin much later.",
                f"Going from two hidden layers to four {_change(mean[4] - mean[2])}, though what a shallow "
                "network computes a deeper one can compute too: training does not make use of its layers.",
            ),
            comparisons=(
                *(_compared(hidden, last[hidden], setting.quick) for hidden in _PUBLISHED),
                Comparison(
                    "time of a network, one example after the other in NumPy, over ours",
                    factor,
                    f"three hidden layers, {_TIMED} batches side by side",
                    form=".3g",
                    timed=True,
                ),
            ),
            pictures=(_curves(found), _bars(last)),
            settings={
                "network": "784-30-...-30-10, sigmoid throughout, weights N(0, 1/inputs), biases N(0, 1)",
                "cost": "sum of the outputs' cross-entropies, mean over the batch; weight decay lambda = 5",
                "training": f"{form.images:,} images, batch {_BATCH}, eta {_RATE}, {form.epochs} epochs, reshuffled",
                "accuracy": "of the last epoch, on the 10,000 validation images",
                "seeds": f"{seeds[0]} to {seeds[-1]}, trained as one",
                "precision": "float32",
            },
            notes=(
                "The book gives one run each, and does not say of which epoch; ours is of the last.",
                f"The band of {_BAND} points is ours: the scatter between seeds that we measured.",
                *(("The short form is trained too little to be compared.",) if setting.quick else ()),
            ),
        )


def train(
    hidden: int,
    seeds: Sequence[int],
    training: tuple[Tensor, Tensor],
    validation: tuple[Tensor, ...],
    epochs: int,
    setting: Setting,
) -> Floats:
    """Train networks of one depth, and return their validation accuracy after each epoch, ``[epochs, k]``.

    Args:
        hidden: Hidden layers.
        seeds: One for each network: for its weights, and for the order of its examples.
        training: Images ``[n, 784]`` and labels.
        validation: The same, to validate on.
        epochs: Epochs.
        setting: Where, and whom to tell.
    """
    (images, labels), classes = training, one_hot(training[1]).T.contiguous()
    networks = Networks(hidden, seeds, setting.device)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    count, k = len(labels), len(seeds)
    x, y = images.new_empty(k * _BATCH, images.shape[1]), classes.new_empty(k * _BATCH, classes.shape[1])
    columns = [part.unflatten(0, (k, _BATCH)).mT for part in (x, y)]
    held, right = validation[0].T, validation[1]
    curve = np.empty((epochs, k))
    for epoch in range(epochs):
        orders = torch.stack([torch.randperm(count, generator=one) for one in generators])
        batches = orders.unflatten(1, (-1, _BATCH)).transpose(0, 1).flatten(1).contiguous().to(images.device)
        for chosen in batches:
            torch.index_select(images, 0, chosen, out=x)
            torch.index_select(classes, 0, chosen, out=y)
            activations = networks.activations(columns[0])
            deltas = networks.deltas(activations, columns[1])
            networks.step(activations, deltas, _RATE, _SHRINK)
        curve[epoch] = accuracy(networks.activations(held)[-1], right)
        setting.say(f"{hidden} hidden, epoch {epoch + 1} of {epochs}: {100 * curve[epoch].mean():.2f} %")
    return curve


def _change(points: float) -> str:
    return f"gains {points:.2f} points" if points >= 0 else f"loses {-points:.2f} points"


def _faster(images: Tensor, labels: Tensor, seeds: int, hidden: int = 3) -> float:
    """Return how many times less processor time a network takes than in NumPy, one example after the other."""
    part = images[: _TIMED * _BATCH], labels[: _TIMED * _BATCH]
    held, epochs, ratios = (images[:1], labels[:1]), 4, []
    for _ in range(3):
        slow = seconds_per_example(hidden, *part, _BATCH)
        began = time.process_time()
        train(hidden, range(seeds), part, held, epochs, Setting(device=str(images.device)))
        ratios.append(slow * epochs * len(part[1]) * seeds / (time.process_time() - began))
    return float(np.median(ratios))


def _compared(hidden: int, final: Floats, quick: bool) -> Comparison:
    published = _PUBLISHED[hidden]
    return Comparison(
        f"accuracy with {hidden} hidden layer{'s' if hidden > 1 else ''}, per cent",
        float(final.mean()),
        f"{final.min():.2f} to {final.max():.2f}, {len(final)} seeds",
        f"{published:.2f}",
        BOOK,
        band=None if quick else (published - _BAND, published + _BAND),
        form=".2f",
    )


def _curves(found: dict[int, Floats]) -> Picture:
    epochs = range(1, len(found[1]) + 1)
    wrong = {hidden: 100 - curve for hidden, curve in found.items()}
    return curves(
        "depth-accuracy-curves",
        "How the error falls",
        "Share of the validation images that are wrong after each epoch, mean of the seeds with their range, on a "
        "logarithmic scale. The deeper the network, the later it begins.",
        [
            Series(f"{hidden} hidden", epochs, curve.mean(1), low=curve.min(1), high=curve.max(1))
            for hidden, curve in wrong.items()
        ],
        Axis("epoch", whole=True),
        Axis("validation error, per cent, logarithmic scale", "log"),
    )


def _bars(last: dict[int, Floats]) -> Picture:
    rows = [
        bar
        for hidden, final in last.items()
        for bar in (
            Bar(f"{hidden} hidden, published", _PUBLISHED[hidden], colour=1, note=f"{_PUBLISHED[hidden]:.2f}"),
            Bar(
                f"{hidden} hidden, here",
                float(final.mean()),
                float(final.min()),
                float(final.max()),
                0,
                f"{final.mean():.2f}",
            ),
        )
    ]
    lowest = min(row.low if row.low is not None else row.value for row in rows)
    floor = 95.0 if lowest > 95.2 else 0.0
    return bars(
        "depth-accuracy-bars",
        "Accuracy after the last epoch",
        "One to four hidden layers, the book's run above ours. Whiskers: from the worst seed to the best."
        + (f" The axis begins at {floor:g} %." if floor else ""),
        rows,
        Axis("validation accuracy, per cent", limits=(floor, 97.5 if floor else 100.0)),
        [(1, "published"), (0, "here, mean of the seeds")],
    )
