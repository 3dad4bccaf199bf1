"""``depth-power``: how many units parity takes, shallow and deep, built by hand and found by training."""

from __future__ import annotations

import numpy as np

from unstuck.lab.circuit_training import RATE, deep, shallow
from unstuck.lab.circuits import Circuit, cases, counting, shortest_term, terms, tree
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Bar, Floats, Series, bars, curves
from unstuck.report.pictures.picture import Picture

_TERMS = "theory: each term fixes all bits, and half of the inputs are odd"
_COUNTING = "theory: one unit for each count of bits"
_TREE = "theory: n - 1 exclusive ors of three units, in log2 n levels of two layers"
#: Steepness of the sigmoid units that take the place of thresholds.
_GAIN = 40.0
_TREES = (2, 4, 8)


class DepthPower(Experiment):
    """Show that depth saves units on parity, exponentially against a circuit of terms, and that it is hard to train.

    Circuits are built as weights of real networks and checked on all inputs. Then gradient descent has to find networks
    for the same task from random weights.
    """

    name = "depth-power"
    title = "What depth can do: parity"
    source = (
        "M. Nielsen, Neural Networks and Deep Learning, chapter 5 (2015): parity of bits by shallow and deep circuits"
    )
    difficulties = ("saddle", "flat-region")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Build the circuits, check them, and train networks of all widths."""
        built = range(2, 9 if setting.quick else 12)
        by_terms, by_count = [terms(n) for n in built], [counting(n) for n in built]
        trees = [tree(n) for n in _TREES]
        wrong = sum(_wrong(c, n) for cs in (by_terms, by_count) for c, n in zip(cs, built, strict=True))
        wrong += sum(_wrong(c, n) for c, n in zip(trees, _TREES, strict=True))
        bits, seeds, steps = (range(2, 5), 10, 400) if setting.quick else (range(2, 7), 40, 2000)
        shares = {}
        for n in bits:
            setting.say(f"one hidden layer, {n} bits")
            shares[n] = shallow(n, _widths(n), seeds, steps, setting.seed)
        grown = {}
        for n in _TREES[:2] if setting.quick else _TREES:
            setting.say(f"trees, {n} bits")
            grown[n] = float(deep(n, seeds, steps, setting.seed).mean())
        least = {n: _least(n, share) for n, share in shares.items()}
        eight = _TREES.index(8)
        shortest = shortest_term(5)
        return Outcome(
            seen=(
                f"To tell whether an odd number of 8 bits is on, a circuit of two layers, ands and an or, takes "
                f"{by_terms[built.index(8)].units - 1} hidden units, twice as many for each further bit, and a deep "
                f"tree {trees[eight].units} in {trees[eight].depth} layers; built as networks, all circuits together "
                f"get {wrong} inputs wrong.",
                f"Units that count, as a neural network's can, need no depth here: one hidden layer of {bits[-1]} is "
                f"enough for {bits[-1]} bits, and training found one of {_words(least[bits[-1]])} units in some of "
                f"{seeds} networks.",
                f"That a deep network exists does not mean that it is found: from random weights {_found(grown)} of "
                "the trees came to be right, all their layers trained together.",
            ),
            comparisons=(
                Comparison(
                    "inputs that a circuit gets wrong", wrong, "all inputs", "0", "built to be right", band=(0, 0)
                ),
                _exact("bits in the shortest term of 5-bit parity", shortest, 5, _TERMS),
                _exact(
                    f"hidden units by terms, {built[-1]} bits", by_terms[-1].units - 1, 2 ** (built[-1] - 1), _TERMS
                ),
                _exact(f"hidden units that count, {built[-1]} bits", by_count[-1].units - 1, built[-1], _COUNTING),
                _exact("units of the tree, 8 bits", trees[eight].units, 21, _TREE),
                _exact("layers of the tree, 8 bits", trees[eight].depth, 6, _TREE),
                *(
                    Comparison(f"smallest width found by training, {n} bits", width, f"some of {seeds} seeds")
                    for n, width in least.items()
                    if width is not None
                ),
                *(
                    Comparison(f"trees found by training, {n} bits, %", 100 * share, f"{seeds} seeds")
                    for n, share in grown.items()
                ),
            ),
            pictures=(_units(built, by_terms, by_count, trees), _widths_found(shares), _kinds(shares, grown)),
            settings={
                "task": "whether an odd number of bits is on, over all inputs",
                "circuits": f"threshold units; checked again with sigmoid units {_GAIN:g} times as steep as usual",
                "trained": f"tanh units, normal weights of variance 1 / inputs, {seeds} seeds",
                "rule": f"Adam, rate {RATE:g}, all inputs, {steps} steps at most, cross-entropy",
                "found": "every input on the right side at some step",
                "precision": "float64",
            },
            notes=(
                "Nothing is published on the trained networks; the numbers of units are theory, built here.",
                "2^(n-1) holds for circuits of terms (and, then or), as in the chapter; a layer of threshold units "
                "needs n at most, so that parity shows what depth saves for ands and ors, not for neural networks.",
            ),
        )


def _wrong(circuit: Circuit, n: int) -> int:
    """Return how many inputs a circuit gets wrong, with threshold or with steep sigmoid units."""
    bits, parity = cases(n)
    steep = np.abs(circuit.outputs(bits, _GAIN) - parity) > 0.1
    return int(((circuit.outputs(bits) != parity) | steep).sum())


def _widths(n: int) -> range:
    return range(1, n + 3)


def _least(n: int, share: Floats) -> int | None:
    found = np.flatnonzero(share)
    return _widths(n)[int(found[0])] if len(found) else None


def _words(width: int | None) -> str:
    return "none of the widths tried" if width is None else f"{width}"


def _found(grown: dict[int, float]) -> str:
    parts = [f"{share:.0%} (for {n} bits)" for n, share in grown.items()]
    return ", ".join(parts[:-1]) + f" and {parts[-1]}"


def _exact(what: str, ours: float, theory: int, source: str) -> Comparison:
    return Comparison(what, ours, "exact", str(theory), source, band=(theory, theory))


def _units(built: range, by_terms: list[Circuit], by_count: list[Circuit], trees: list[Circuit]) -> Picture:
    fine = np.arange(2, built[-1] + 1)
    return curves(
        "depth-power-units",
        "Units that parity takes",
        "Dots are circuits that were built and checked on all inputs, lines are theory. The scale is logarithmic: a "
        "straight line doubles with every bit.",
        [
            Series("hidden units, by terms (ands, then an or)", fine, 2.0 ** (fine - 1), colour=0),
            Series("hidden units, by counting (one layer of thresholds)", fine, fine, colour=1),
            Series("units of a tree of exclusive ors (deep)", fine, 3 * (fine - 1), "dashed", colour=2),
            Series("", list(built), [c.units - 1 for c in by_terms], "dots", colour=0),
            Series("", list(built), [c.units - 1 for c in by_count], "dots", colour=1),
            Series("", _TREES, [c.units for c in trees], "dots", colour=2),
        ],
        Axis("bits", whole=True),
        Axis("units, logarithmic scale", "log"),
    )


def _widths_found(shares: dict[int, Floats]) -> Picture:
    series = []
    for colour, (n, share) in enumerate(shares.items()):
        series.append(Series(f"{n} bits", list(_widths(n)), 100 * share, colour=colour))
        series.append(Series("", list(_widths(n)), 100 * share, "dots", colour=colour))
    return curves(
        "depth-power-widths",
        "What training finds: one hidden layer",
        "Share of the networks of each width that came to be right on all inputs.",
        series,
        Axis("hidden units", whole=True),
        Axis("networks that were right, %", limits=(0.0, 100.0)),
    )


def _kinds(shares: dict[int, Floats], grown: dict[int, float]) -> Picture:
    rows = []
    for n, share in grown.items():
        if n in shares:
            wide = 100 * float(shares[n][_widths(n).index(n)])
            rows.append(Bar(f"{n} bits, one layer of {n}", wide, colour=0, note=f"{wide:.0f} %"))
        rows.append(Bar(f"{n} bits, tree of {3 * (n - 1)}", 100 * share, colour=1, note=f"{100 * share:.0f} %"))
    keys = [(0, "one hidden layer"), (1, "tree")]
    caption = "Share of the networks that training made right on all inputs, from random weights, all layers together."
    axis = Axis("networks that were right, %", limits=(0.0, 100.0))
    return bars("depth-power-kinds", "What training finds: shallow and deep", caption, rows, axis, keys)
