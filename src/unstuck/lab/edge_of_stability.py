"""``edge-of-stability``: training sharpens the surface until the optimizer is at the limit of its stability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from unstuck.lab.edge_training import COHEN, COHEN_ADAM, Trace, Trainer, optimizers, train
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting, Sure
from unstuck.lab.flat_network import FlatNetwork
from unstuck.lab.plots import Axis, Series, curves
from unstuck.lab.small_images import load_digits
from unstuck.report.pictures.picture import Picture, Table

_BAND = (0.95, 1.05)


@dataclass(frozen=True)
class _Plan:
    """Sizes of one form."""

    count: int
    side: int
    sizes: tuple[int, ...]
    steps: int
    every: int
    rates: tuple[float, float]
    adam: float


_FULL = _Plan(1000, 14, (196, 20, 20, 10), 3000, 20, (0.2, 0.3), 5e-4)
_QUICK = _Plan(1000, 14, (196, 20, 20, 10), 1000, 40, (0.2, 0.3), 1e-3)


class EdgeOfStability(Experiment):
    """Show that full-batch training settles where the learning rate is just at the limit of stability.

    A small tanh network learns digits with all examples at every step. The sharpness, the largest eigenvalue of the
    Hessian, is measured by Lanczos' method on the way: it rises until it is at the optimizer's limit on a quadratic,
    2/eta for gradient descent, and stays there while the loss goes on falling.
    """

    name = "edge-of-stability"
    title = "The edge of stability"
    source = f"{COHEN} (arXiv:2103.00065); {COHEN_ADAM} (arXiv:2207.14484)"
    difficulties = ("step-too-large", "step-too-small")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train with each optimizer, and measure the sharpness on the way."""
        plan = _QUICK if setting.quick else _FULL
        images, labels, where = load_digits(plan.count, plan.side)
        targets = one_hot(labels, 10).float()
        network = FlatNetwork(plan.sizes)
        start = network.draw(1, torch.Generator().manual_seed(setting.seed))[0].to(setting.device)
        images, targets = images.to(setting.device), targets.to(setting.device)

        def loss(place: Tensor) -> Tensor:
            return (network.outputs(place, images) - targets).square().sum(1).mean() / 2

        trainers, traces = optimizers(plan.rates, plan.adam), []
        for trainer in trainers:
            setting.say(trainer.label)
            traces.append(train(trainer, loss, start, plan.steps, plan.every, setting.seed))
        ratios = [trace.tail(trainer.limit).mean() for trainer, trace in zip(trainers, traces, strict=True)]
        slow, _, nesterov, adam, heavy = ratios
        first = traces[0]
        return Outcome(
            seen=(
                f"Gradient descent with a rate of {plan.rates[0]:g} is stable on a quadratic up to a sharpness of "
                f"{trainers[0].limit:g}; after {first.steps[0]} steps the sharpness was {first.sharpness[0]:.2f}, and "
                f"at the end {slow * trainers[0].limit:.2f}, which is {slow:.2f} times the limit.",
                f"Nesterov's method settled at {nesterov:.2f} times its own limit and Adam, whose limit is for the "
                f"Hessian seen through its preconditioner, at {adam:.2f} times; heavy ball was at {heavy:.2f} when it "
                "was stopped.",
                f"The loss fell all the same, with gradient descent from {first.losses[0]:.3f} to "
                f"{first.losses[-1]:.4f}, so that a sharpness at the limit is no fault: it is what a large enough rate "
                "looks like.",
            ),
            comparisons=tuple(
                _row(trainer, trace, compared=number in ((0, 2, 3) if setting.quick else (0, 1, 2, 3)))
                for number, (trainer, trace) in enumerate(zip(trainers, traces, strict=True))
            ),
            pictures=(_ratios(trainers, traces), _raw(trainers[:2], traces[:2]), _losses(trainers, traces)),
            settings={
                "examples": f"the first {plan.count:,} of {where}, all at every step",
                "network": f"{'-'.join(map(str, plan.sizes))}, tanh, torch's initial weights, float32",
                "loss": "half the squared error, summed over the outputs, mean over the examples",
                "steps": f"{plan.steps:,}; sharpness every {plan.every}, its last third averaged",
                **{trainer.label: f"limit {trainer.words} = {trainer.limit:g}" for trainer in trainers},
                "Adam": "betas 0.9 and 0.99, eps 1e-7; sharpness of P^-1/2 H P^-1/2, "
                "P = (1 - b1^t) (sqrt(v / (1 - b2^t)) + eps)",
            },
            notes=(
                "The papers train networks on 5,000 images of CIFAR-10; their statement, that the sharpness settles at "
                "the limit, is what is compared, within 5 per cent.",
                "Heavy ball has a higher limit, at which it need not arrive in this time; its number is shown as it "
                "was when the training ended.",
                *(("The short form has fewer steps, and does not compare the second rate.",) if setting.quick else ()),
            ),
        )


def _row(trainer: Trainer, trace: Trace, *, compared: bool) -> Comparison:
    tail = trace.tail(trainer.limit)
    sure: Sure = "read" if trainer.source == COHEN_ADAM else "remembered"
    return Comparison(
        f"{trainer.label}: sharpness over {trainer.words}",
        float(tail.mean()),
        f"{tail.min():.2f} to {tail.max():.2f} at the end",
        "1",
        trainer.source,
        sure,
        _BAND if compared else None,
        form=".3f",
    )


def _ratios(trainers: tuple[Trainer, ...], traces: list[Trace]) -> Picture:
    pairs = [pair for number, pair in enumerate(zip(trainers, traces, strict=True)) if number != 1]
    steps = traces[0].steps
    rows = tuple((t.label, f"{t.limit:,.4g}", t.words, f"{trace.tail(t.limit).mean():.3f}") for t, trace in pairs)
    return curves(
        "edge-of-stability-ratios",
        "Sharpness over the limit of stability",
        "Each optimizer has a limit of its own; 1 is the edge, which trainings come to and stay about. That of heavy "
        "ball is the highest, and it may not have come to it.",
        [
            *(Series(t.label, trace.steps, np.array(trace.sharpness) / t.limit) for t, trace in pairs),
            Series("the edge", [steps[0], steps[-1]], [1.0, 1.0], "dashed", 5),
        ],
        Axis("step", whole=True),
        Axis("sharpness over its limit"),
        Table("At the end", ("optimizer", "limit", "formula", "sharpness over limit"), rows),
    )


def _raw(trainers: tuple[Trainer, ...], traces: list[Trace]) -> Picture:
    series = []
    for number, (trainer, trace) in enumerate(zip(trainers, traces, strict=True)):
        ends = [trace.steps[0], trace.steps[-1]]
        series.append(Series(trainer.label, trace.steps, trace.sharpness, colour=number))
        series.append(Series(f"2 / {2 / trainer.limit:g}", ends, [trainer.limit] * 2, "dashed", number))
    return curves(
        "edge-of-stability-rates",
        "Two learning rates, two sharpnesses",
        "The largest eigenvalue of the Hessian along two trainings by gradient descent, which differ in the rate only. "
        "The surface is not given: the rate decides how sharp it becomes.",
        series,
        Axis("step", whole=True),
        Axis("sharpness"),
    )


def _losses(trainers: tuple[Trainer, ...], traces: list[Trace]) -> Picture:
    return curves(
        "edge-of-stability-losses",
        "The loss all the while",
        "The loss at every step, on a logarithmic scale. At the edge it no longer falls at each step, and yet falls.",
        [Series(t.label, range(len(trace.losses)), trace.losses) for t, trace in zip(trainers, traces, strict=True)],
        Axis("step", whole=True),
        Axis("loss, logarithmic scale", "log"),
    )
