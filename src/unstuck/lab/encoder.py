"""``encoder``: Fahlman's encoders by Quickprop, plain back-propagation, Rprop and Adam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unstuck.lab.encoder_pictures import all_rules, courses, grid, other_sizes
from unstuck.lab.encoders import RIGHT, Learned, Rule, Size, adam, descent, epochs, initial, quickprop, rprop
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Floats

_STUDY = "Fahlman, An empirical study of learning speed in back-propagation networks, CMU-CS-88-162 (1988)"
_MAIN = Size(10, 5)
_OTHERS = (Size(4, 2), Size(8, 3), Size(16, 4), Size(32, 5))
_RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
_EPSILONS = (0.5, 1.0, 1.5, 2.0, 4.0)
#: Fahlman's epsilon of the 10-5-10 encoder, as remembered.
_EPSILON = 1.5
_RADIUS = 1.0
#: A remembered number agrees with ours when they differ by this part at most.
_ABOUT = 0.35
_QUICKPROP, _PLAIN, _OFFSET = "Quickprop", "back-propagation", "back-propagation with the offset"


class Encoder(Experiment):
    """Show that Quickprop learns an encoder in a fraction of the epochs of the best plain back-propagation.

    A network of ten inputs and ten outputs must pass one of ten signals through five hidden units. Every rule starts
    from the same weights; for each, the best learning rate of a grid counts.
    """

    name = "encoder"
    title = "Encoders: Quickprop against back-propagation"
    source = _STUDY
    difficulties = ("step-too-small", "saturated-units")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train all seeds of all rules."""
        seeds, limit = (10, 300) if setting.quick else (50, 600)
        weights = initial(_MAIN, seeds, _RADIUS, setting.seed)
        learned = []
        for label, rule, tried in _rules():
            setting.say(f"{_MAIN} by {label}")
            counts = [epochs(_MAIN, weights, one, limit).numpy().astype(np.float64) for one in rule]
            learned.append(Learned(label, tried, np.concatenate(counts)))
        by = {one.label: one for one in learned}
        quick, plain, offset = by[_QUICKPROP], by[_PLAIN], by[_OFFSET]
        fast = float(quick.means(limit)[quick.rates.index(_EPSILON)])
        slow, kept = (float(one.means(limit).min()) for one in (plain, offset))
        sizes = () if setting.quick else _others(setting, limit)
        return Outcome(
            seen=(
                f"Quickprop has all outputs of the {_MAIN} encoder right after {fast:.1f} passes over the examples, "
                f"in the mean of {seeds} networks; plain back-propagation needs {slow:.0f} at the best of "
                f"{len(_RATES)} learning rates, {slow / fast:.1f} times as many.",
                "A good part of that is one constant: 0.1 added to the slope of the sigmoid, so that units that are "
                f"firmly wrong still learn, brings plain back-propagation down to {kept:.0f}.",
                _choice(quick, plain, limit),
            ),
            comparisons=(
                _about("Quickprop, epochs", fast, 22, "about 22", setting.quick, _range(quick, _EPSILON)),
                _about("back-propagation, best rate, epochs", slow, 129, "129", setting.quick, _range(plain)),
                Comparison(
                    "back-propagation over Quickprop, epochs",
                    slow / fast,
                    f"{seeds} seeds",
                    "5.9 (129 over about 22); at least 5 wanted",
                    _STUDY,
                    "remembered",
                    None if setting.quick else (5.0, 50.0),
                    ".1f",
                ),
                *(Comparison(f"{one.label}, best rate, epochs", *_best(one, limit)) for one in learned[2:]),
                *(Comparison(f"Quickprop on {size}, epochs", float(np.minimum(n, limit).mean())) for size, n in sizes),
            ),
            pictures=(
                all_rules(learned, limit),
                courses(learned, limit),
                grid(learned, limit),
                *([other_sizes(sizes, limit, _EPSILON)] if sizes else []),
            ),
            settings={
                "task": f"{_MAIN}: ten examples, one input and the same output on",
                "units": "sigmoid, from 0 to 1",
                "first weights": f"even from -{_RADIUS:g} to {_RADIUS:g}, the same for all rules; {seeds} networks",
                "learned": f"every output within {RIGHT:g} of its target for every example",
                "Quickprop": "mu 1.75, epsilon over fan-in (bias counted), atanh error, slope of the sigmoid + 0.1",
                "others": "half the squared error, summed over the examples; the gradient of all examples",
                "rates": f"back-propagation {_list(_RATES)}; Quickprop {_list(_EPSILONS)}; Adam 0.03, 0.1; Rprop 0.1",
                "limit": f"{limit} epochs; a network that needs more counts as {limit}",
                "precision": "float32",
            },
            notes=(
                "The numbers of 1988 are remembered, not read again; they agree when within "
                f"{_ABOUT:.0%}. Read in the abstract: faster by an order of magnitude or more.",
                "The ratio is asked to be at least 5. Networks that do not arrive count as the limit, which flatters "
                "back-propagation.",
                f"With the offset, as Quickprop has it, back-propagation needs {kept / fast:.1f} times as many epochs: "
                "the rest of the ratio is the offset's.",
            ),
        )


def _rules() -> list[tuple[str, list[Rule], tuple[float, ...]]]:
    return [
        (_QUICKPROP, [quickprop(_EPSILONS)], _EPSILONS),
        (_PLAIN, [descent(_RATES)], _RATES),
        (_OFFSET, [descent(_RATES, 0.1)], _RATES),
        ("Adam", [adam(0.03), adam(0.1)], (0.03, 0.1)),
        ("Rprop", [rprop(0.1)], (0.1,)),
    ]


def _others(setting: Setting, limit: int) -> tuple[tuple[Size, Floats], ...]:
    rows = []
    for size in _OTHERS:
        setting.say(f"{size} by {_QUICKPROP}")
        counts = epochs(size, initial(size, 50, _RADIUS, setting.seed), quickprop([_EPSILON]), limit)
        rows.append((size, counts[0].numpy().astype(np.float64)))
    return tuple(rows)


def _about(what: str, ours: float, known: float, printed: str, quick: bool, spread: str) -> Comparison:
    band = None if quick else (known * (1 - _ABOUT), known * (1 + _ABOUT))
    return Comparison(what, ours, spread, printed, _STUDY, "remembered", band, ".1f")


def _range(one: Learned, rate: float | None = None) -> str:
    limit = int(np.where(np.isfinite(one.epochs), one.epochs, 0).max())
    counts = one.epochs[one.best(limit) if rate is None else one.rates.index(rate)]
    late = int(np.isinf(counts).sum())
    reached = counts[np.isfinite(counts)]
    return f"{reached.min():.0f} to {reached.max():.0f}, {len(counts)} seeds" + (f", {late} not at all" if late else "")


def _best(one: Learned, limit: int) -> tuple[float, str]:
    place = one.best(limit)
    return float(one.means(limit)[place]), f"rate {one.rates[place]:g}: {_range(one, one.rates[place])}"


def _choice(quick: Learned, plain: Learned, limit: int) -> str:
    fast, slow = quick.means(limit), plain.means(limit)
    return (
        f"Quickprop also hardly minds its one constant: from epsilon {_EPSILONS[0]:g} to {_EPSILONS[-1]:g} it needs "
        f"{fast.min():.0f} to {fast.max():.0f} epochs, where back-propagation needs {slow.min():.0f} to "
        f"{'more than ' if slow.max() >= limit - 1 else ''}{slow.max():.0f} from rate {_RATES[0]:g} to {_RATES[-1]:g}."
    )


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
