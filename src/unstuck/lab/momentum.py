"""``momentum``: a deep autoencoder learned by plain descent, by classical momentum and by Nesterov's."""

from __future__ import annotations

import numpy as np

from unstuck.lab.data import load_images
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.momentum_runs import HIDDEN, METHODS, RATES, Course, Size, course, schedule
from unstuck.lab.plots import Axis, Bar, Series, bars, curves
from unstuck.report.pictures.picture import Picture, Table

_TABLE = "Sutskever et al. 2013, table of autoencoder errors: MNIST"
#: Published errors, of a far larger autoencoder that was trained far longer.
_PUBLISHED = {"plain descent": "2.1", "Nesterov, 0.99": "0.80 (mu_max 0.999)"}
_FULL, _QUICK = Size(4000, 20_000), Size(300, 5_000)


class Momentum(Experiment):
    """Show that a good start and a momentum that grows by a schedule let plain gradients train a deep autoencoder.

    Six layers of weights, sigmoids but for the linear code in the middle, each unit with fifteen normal inputs and
    otherwise none (sparse initialisation). Plain descent, classical momentum and Nesterov's learn at the same time from
    the same batches, each at four rates, of which the best counts; one arm has Glorot's dense weights instead.
    """

    name = "momentum"
    title = "Momentum on a deep autoencoder"
    source = "I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and momentum (2013)"
    difficulties = ("step-too-small", "bad-initialisation", "flat-region")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train all of them, and keep each at its best rate."""
        size = _QUICK if setting.quick else _FULL
        images = load_images(size.images, 1, halved=True)
        runs = course(setting, size, images)
        best = {name: min(runs[name], key=lambda run: run.last) for name in METHODS}
        plain, nesterov = best["plain descent"], best["Nesterov, 0.99"]
        classical, dense = best["classical, 0.99"], best["Nesterov, 0.99, dense start"]
        sooner = next((int(s) for s, e in zip(nesterov.steps, nesterov.errors, strict=True) if e <= plain.last), None)
        order = sorted(best, key=lambda name: best[name].last)
        caught = f"after {sooner} steps" if sooner is not None else "not within them"
        return Outcome(
            seen=(
                f"Plain descent leaves a squared error of {plain.last:.2f} per image after {size.steps} steps; "
                f"Nesterov's momentum, at the same cost per step, has it {caught} and ends at {nesterov.last:.2f}.",
                f"Classical momentum by the same schedule ends at {classical.last:.2f}: the form of the momentum makes "
                f"{_times(classical.last, nesterov.last)} of difference, momentum itself "
                f"{_times(plain.last, nesterov.last)}.",
                f"From dense first weights (Glorot's) Nesterov's momentum ends at {dense.last:.2f}; in order, the best "
                f"first: {'; '.join(order)}.",
            ),
            comparisons=(
                *(
                    Comparison(
                        f"squared error per image: {name}",
                        run.last,
                        f"at its best rate, {run.rate:g}",
                        _PUBLISHED.get(name, ""),
                        _TABLE if name in _PUBLISHED else "",
                        "remembered",
                        form=".3f",
                    )
                    for name, run in best.items()
                ),
                Comparison(
                    "error of plain descent over that of Nesterov, 0.99", plain.last / nesterov.last, form=".2f"
                ),
            ),
            pictures=(_errors(best), _schedules(size), _ends(best)),
            settings={
                "data": f"{images.name}: {len(images.inputs)} images, error on the first 1000 of them",
                "network": f"{images.inputs.shape[1]}-{'-'.join(map(str, HIDDEN))}-{images.inputs.shape[1]}, sigmoids, "
                "linear code, cross-entropy of the pixels summed over an image",
                "sparse start": "15 inputs per unit from N(0, 1), the others 0; biases 0",
                "schedule": f"mu_t = min(1 - 2^(-1 - log2(floor(t/{size.period}) + 1)), mu_max)",
                "momentum": "v <- mu v - rate grad, theta <- theta + v; Nesterov's takes the gradient at theta + mu v",
                "steps": f"{size.steps}, batches of {size.batch}, the same for all",
                "rates": f"{', '.join(f'{rate:g}' for rate in RATES)}; for each method the one with the lowest error",
                "precision": "float32",
            },
            notes=(
                "Errors are not compared: the published autoencoder is far larger, sees 28 by 28 pixels and is trained "
                "for hours. What can be compared is the order of the methods.",
                f"The published schedule has 250 in the place of {size.period}: momentum grows sooner here, as the "
                "run is shorter.",
                *([images.note] if images.note else []),
            ),
        )


def _times(one: float, other: float) -> str:
    return f"{max(one, other) / min(one, other):.2f} times"


def _errors(best: dict[str, Course]) -> Picture:
    rows = tuple(
        (name, f"{run.rate:g}", *(f"{run.at(part):.3f}" for part in (0.25, 0.5, 1.0))) for name, run in best.items()
    )
    return curves(
        "momentum-errors",
        "Error of the reconstruction",
        "Squared difference of an image and what the autoencoder makes of it, summed over the pixels, each method at "
        "its best rate. Dashed: from dense first weights.",
        [Series(name, run.steps, run.errors, "dashed" if "dense" in name else "line") for name, run in best.items()],
        Axis("step", whole=True),
        Axis("squared error per image", "log"),
        Table("Error along the way", ("method", "rate", "after a quarter", "after a half", "at the end"), rows),
    )


def _schedules(size: Size) -> Picture:
    steps = np.arange(size.steps)
    return curves(
        "momentum-schedule",
        "The momentum grows",
        f"Half at first, then more every {size.period} steps, up to mu_max: what is averaged over grows with the run.",
        [
            Series(
                f"mu_max {most:g}",
                steps,
                [schedule(int(step), most, size.period) for step in steps],
                "dashed" if most == 0.9 else "line",
            )
            for most in (0.9, 0.99)
        ],
        Axis("step", whole=True),
        Axis("momentum", limits=(0.4, 1.0)),
    )


def _ends(best: dict[str, Course]) -> Picture:
    return bars(
        "momentum-ends",
        "Error at the end",
        "The same errors after the last step; shorter is better.",
        [Bar(name, run.last, note=f"{run.last:.2f}") for name, run in best.items()],
        Axis("squared error per image"),
    )
