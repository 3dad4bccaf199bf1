"""``batch``: one example at a time, a few, or all of them: steps, examples and time to the same loss."""

from __future__ import annotations

import numpy as np
import torch

from unstuck.errors import UnstuckError
from unstuck.lab.batch_runs import Reached, Task, fit, noise_on_the_way, reach
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.flat_network import FlatNetwork
from unstuck.lab.plots import Axis, Bar, Floats, Series, bars, curves
from unstuck.lab.small_images import load_digits
from unstuck.report.pictures.picture import Picture, Table

_SIDE, _HIDDEN, _LEVEL = 7, 16, 0.5
_RATES = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56)
_PLACES = 8
_PAPER = "McCandlish et al. 2018, An Empirical Model of Large-Batch Training"


class Batch(Experiment):
    """Show what a larger batch buys: fewer steps up to the noise of the gradient, and nothing beyond.

    A small network learns digits with batches of several sizes until the loss over all examples is at a level, for
    each size with the best of several learning rates. The noise of the gradient is measured on the way from the
    gradients of single examples, and should foretell the size beyond which more examples no longer save steps.
    """

    name = "batch"
    title = "Full batch, mini-batch, single example"
    source = f"{_PAPER} (arXiv:1812.06162); the task is ours"
    difficulties = ("step-too-small", "unshuffled-batches")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train with each size, fit the trade-off, and measure the noise.

        Raises:
            UnstuckError: No learning rate reached the level with some batch size.
        """
        count, seeds = (512, 2) if setting.quick else (2000, 5)
        inputs, labels, where = load_digits(count, _SIDE)
        task = Task(FlatNetwork((_SIDE**2, _HIDDEN, 10)), inputs, labels, _LEVEL)
        starts = task.network.draw(seeds, torch.Generator().manual_seed(setting.seed))
        runs = []
        for batch in (1, 4, 16, 64, 256, count):
            setting.say(f"batches of {batch}")
            run = reach(task, batch, _RATES, starts, 20_000 // min(batch, 20), setting.seed)
            if run is None:
                raise UnstuckError(f"no learning rate of {_RATES} reached a loss of {_LEVEL:g} with batches of {batch}")
            runs.append(run)
        sizes = np.array([float(run.batch) for run in runs])
        steps = np.array([run.steps.mean() for run in runs])
        fewest, examples = fit(sizes, steps)
        off = _off(sizes, steps, fewest, examples)
        whole = runs[-1]
        noise = noise_on_the_way(task, starts[0], whole.rate, int(whole.steps[0]), _PLACES)
        seconds = steps * [run.seconds for run in runs]
        fastest = int(seconds.argmin())
        middle = float(np.median(noise[2]))
        return Outcome(
            seen=(
                f"To the same loss, single examples need {steps[0]:,.0f} steps and the full batch of {count:,} needs "
                f"{steps[-1]:,.0f}, for which it looks at {steps[-1] * count / steps[0]:,.0f} times as many examples.",
                f"The two costs follow the law of the trade-off within {off:.0%}, with its bend at batches of "
                f"{examples / fewest:,.0f}: below, twice the batch nearly halves the steps, and above, it only costs "
                "more.",
                f"The noise of the gradient, which should foretell that size, is {noise[2][0]:,.0f} at the start and "
                f"{noise[2][-1]:,.0f} at the end; on this machine batches of {runs[fastest].batch:,} were the fastest.",
            ),
            comparisons=(
                Comparison("critical batch size, from the trade-off", examples / fewest, "", form=",.0f"),
                Comparison(
                    "noise scale tr(S) / |G|^2, median on the way",
                    middle,
                    f"{noise[2].min():,.0f} to {noise[2].max():,.0f}",
                    form=",.0f",
                ),
                Comparison(
                    "noise scale over critical batch size",
                    middle * fewest / examples,
                    "",
                    "the order of 1",
                    _PAPER,
                    "remembered",
                    band=(0.1, 10.0),
                    form=".2f",
                ),
                Comparison("largest distance of a point from the trade-off", off, form=".2f"),
                *(_row(run) for run in runs),
                *(
                    Comparison(f"time to the level, batches of {run.batch:,}, s", float(s), form=".2g", timed=True)
                    for run, s in zip(runs, seconds, strict=True)
                ),
            ),
            pictures=(_trade(runs, steps, fewest, examples), _rates(runs, fewest, examples), _times(runs, seconds)),
            settings={
                "examples": f"the first {count:,} of {where}",
                "network": f"{_SIDE**2}-{_HIDDEN}-10, tanh, cross-entropy, torch's initial weights",
                "rule": f"SGD, rates {', '.join(map(str, _RATES))}; the best is the first with which all seeds arrive",
                "level": f"loss {_LEVEL:g} over all examples",
                "batches": "drawn with replacement at each step; the full batch is the whole set",
                "seeds": f"{seeds}",
                "noise": f"from the gradient of every example, at {_PLACES} places of the full-batch training",
            },
            notes=(
                "The paper's tasks are far larger; what is taken from it is the law, (S/Smin - 1)(E/Emin - 1) = 1 for "
                "steps S and examples E, and that the noise scale is of the order of Emin/Smin.",
                "Learning rates are a factor of 2 apart, so that the best may lie between two; the loss is looked at "
                "every 64 examples.",
            ),
        )


def _off(sizes: Floats, steps: Floats, fewest: float, examples: float) -> float:
    return float(np.exp(np.abs(np.log(steps / (fewest + examples / sizes))).max()) - 1)


def _row(run: Reached) -> Comparison:
    spread = f"{run.steps.min():,.0f} to {run.steps.max():,.0f}, {len(run.steps)} seeds, rate {run.rate:g}"
    return Comparison(f"steps to the level, batches of {run.batch:,}", float(run.steps.mean()), spread, form=",.0f")


def _trade(runs: list[Reached], steps: Floats, fewest: float, examples: float) -> Picture:
    sizes = np.array([float(run.batch) for run in runs])
    smooth = np.geomspace(sizes[0] / 2, sizes[-1] * 2, 80)
    law = fewest + examples / smooth
    rows = tuple(
        (f"{run.batch:,}", f"{s:,.0f}", f"{s * run.batch:,.0f}", f"{run.rate:g}")
        for run, s in zip(runs, steps, strict=True)
    )
    return curves(
        "batch-trade",
        "Steps against examples",
        "Each dot is a batch size, from single examples on the left to the full batch on the right, all at the same "
        "loss. Dashes: the law with the two costs fitted. To the left of the bend examples are used best, to the "
        "right steps are.",
        [
            Series("theory: (S/Smin - 1)(E/Emin - 1) = 1", law * smooth, law, "dashed", 0),
            Series("measured", steps * sizes, steps, "dots", 1),
        ],
        Axis("examples looked at, logarithmic scale", "log"),
        Axis("steps, logarithmic scale", "log"),
        Table("To the same loss", ("batch", "steps", "examples", "rate"), rows),
    )


def _rates(runs: list[Reached], fewest: float, examples: float) -> Picture:
    sizes = np.array([float(run.batch) for run in runs])
    rates = np.array([run.rate for run in runs])
    smooth = np.geomspace(sizes[0], sizes[-1], 80)
    critical = examples / fewest
    top = float(np.exp(np.log(rates * (1 + critical / sizes)).mean()))
    return curves(
        "batch-rates",
        "The best learning rate by batch size",
        "Dots: the best of the rates tried, a factor of 2 apart. Dashes: the rate that the trade-off foretells, its "
        "height fitted: it grows with the batch up to the critical size, and not beyond.",
        [
            Series(
                "theory: top rate / (1 + critical size / batch)", smooth, top / (1 + critical / smooth), "dashed", 0
            ),
            Series("best of those tried", sizes, rates, "dots", 1),
        ],
        Axis("batch size, logarithmic scale", "log"),
        Axis("learning rate, logarithmic scale", "log"),
    )


def _times(runs: list[Reached], seconds: Floats) -> Picture:
    rows = [Bar(f"batches of {run.batch:,}", float(s), note=f"{s:.2g} s") for run, s in zip(runs, seconds, strict=True)]
    return bars(
        "batch-times",
        "Time to the level, on this machine",
        "Steps times the time of one step. A step on few examples costs nearly as much as one on many, so that the "
        "fastest batch is larger than the one that looks at the fewest examples.",
        rows,
        Axis("seconds"),
    )
