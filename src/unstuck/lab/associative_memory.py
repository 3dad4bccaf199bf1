"""``associative-memory``: a memory of one weight per bit over the hash of a fast Walsh-Hadamard transform."""

from __future__ import annotations

import numpy as np

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.lab.sign_memory import ROUNDS, count, measure, overfull, repeat, unseen_theory
from unstuck.report.pictures.picture import Picture

_COMMENT = "a reader's comment on J. Brownlee, Why training a neural network is hard"
_ONCE = "theory: sum of m - 1 independent terms of variance 1/n each"
_FULL = "theory: mean of the inverse Wishart matrix of m vectors of n numbers, m / (n - m - 1)"
_LOADS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
#: Loads of the curves over repeated training.
_REPEATED = (0.1, 0.5, 0.9)
#: Measured noise agrees with theory within this part.
_CLOSE = 0.1


class AssociativeMemory(Experiment):
    """Show that a memory of one weight per bit is noisy with the root of its load, and that training takes the noise.

    A vector is hashed to as many signs as it has numbers; the response is the sum of the signs, each times its weight.
    Storing a number adds it to all weights, with the signs. Repeated training adds only what is missing.
    """

    name = "associative-memory"
    title = "An associative memory of one weight per bit"
    source = f"{_COMMENT}; theory derived here"
    difficulties = ()
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Fill memories to several loads, once and by repeated training."""
        n, seeds, passes = (256, 2, 60) if setting.quick else (1024, 4, 200)
        noises = [[measure(n, load, setting.seed + seed) for load in _LOADS] for seed in range(seeds)]
        once, new, left = (
            np.sqrt(np.mean([[getattr(one, part) ** 2 for one in row] for row in noises], axis=0))
            for part in ("once", "new", "left")
        )
        setting.say("repeated training")
        repeated = {load: repeat(n, load, passes, setting.seed) for load in _REPEATED}
        counts = np.array([count(n, load) for load in _LOADS])
        expected = np.sqrt((counts - 1) / n)
        half = _LOADS.index(0.5)
        exponent = float(np.polyfit(np.log(counts / n), np.log(once), 1)[0])
        over = overfull(n, setting.seed)
        return Outcome(
            seen=(
                f"A memory of {n} weights that stores {counts[half]} numbers, each once, answers with a noise of "
                f"{once[half]:.2f} of their spread; over all loads the noise grows with the power {exponent:.2f} of "
                "the load, a square root.",
                f"Trained again and again on what it still gets wrong, it loses the noise: at half its capacity "
                f"{repeated[0.5][-1]:.1g} of the spread is left after {passes} passes, but {repeated[0.9][-1]:.1g} "
                "when it is nine tenths full, where the patterns are hard to tell apart.",
                f"Just short of one number per bit all can still be stored exactly; at {over[0]} numbers for {n} bits "
                f"a noise of {over[1]:.2f} cannot be trained away. What full training costs is a wilder answer to "
                f"what was never stored, {new[-1]:.1f} times the spread at a load of {_LOADS[-1]:g}.",
            ),
            comparisons=(
                Comparison(
                    "power of the load with which the noise grows",
                    exponent,
                    f"{len(_LOADS)} loads, {seeds} seeds",
                    "0.5",
                    _ONCE,
                    band=(0.47, 0.53),
                    form=".3f",
                ),
                _against("noise at load 0.5, stored once", once[half], float(expected[half]), _ONCE),
                _against("noise of new vectors at load 0.5, fully trained", new[half], unseen_theory(n, 0.5), _FULL),
                _against(
                    "noise of new vectors at load 0.9, fully trained", new[-3], unseen_theory(n, 0.9), _FULL, 0.25
                ),
                Comparison(
                    f"noise of what is stored at load {_LOADS[-1]:g}, fully trained",
                    float(left[-1]),
                    "",
                    "0",
                    "theory: fewer independent patterns than weights can be stored exactly",
                    band=(0.0, 1e-8),
                    form=".1g",
                ),
                *(
                    Comparison(f"noise at load {load:g} after {passes} passes", float(curve[-1]), form=".2g")
                    for load, curve in repeated.items()
                ),
            ),
            pictures=(_picture(once, new, expected, n), _training(repeated, passes)),
            settings={
                "bits, and weights": str(n),
                "vectors": "independent, normal, as long as there are bits",
                "hash": f"{ROUNDS} rounds of random sign flips and a Walsh-Hadamard transform, then the signs",
                "numbers to store": "independent, normal, mean 0 and variance 1",
                "stored once": "weights = sum of number times signs, over n",
                "a pass": "for each vector in turn: weights += what is missing times signs, over n (Kaczmarz)",
                "fully trained": "the smallest weights that fit best (least squares), where the passes lead",
                "seeds": str(seeds),
                "precision": "float64",
            },
            notes=(
                "The comment gives no numbers; theory stands in their place. Its vectors are random, so that the signs "
                "of two are independent; of vectors that are alike, the noise is larger.",
                "Theory of stored once: the response to a stored vector is its number plus m - 1 others times the mean "
                "product of n independent signs, of variance 1/n each. Theory of full training: the response to a new "
                "vector has the variance of the squared length of the weights, of which the mean is known for normal "
                "numbers in place of signs.",
                f"Agreement is within {_CLOSE:.0%}; within 25% at load 0.9, where a few directions make most of it.",
            ),
        )


def _against(what: str, ours: float, theory: float, source: str, close: float = _CLOSE) -> Comparison:
    band = (theory * (1 - close), theory * (1 + close))
    return Comparison(what, float(ours), "", f"{theory:.3f}", source, band=band, form=".3f")


def _picture(once: Floats, new: Floats, expected: Floats, n: int) -> Picture:
    theory = np.array([unseen_theory(n, load) for load in _LOADS])
    return curves(
        "associative-memory-noise",
        "Noise of the answer by load",
        "Load is how many numbers are stored for each bit. Dots are measured, dashes are theory. Both scales are "
        "logarithmic: a square root is a line that rises half as steeply as one to one.",
        [
            Series("stored vectors, each stored once", _LOADS, once, "dots", colour=0),
            Series("theory: root of the load", _LOADS, expected, "dashed", colour=0),
            Series("new vectors, after full training", _LOADS, new, "dots", colour=1),
            Series("theory: root of (load / (1 - load))", _LOADS, theory, "dashed", colour=1),
        ],
        Axis("load, logarithmic scale", "log"),
        Axis("noise, over the spread of the numbers, logarithmic scale", "log"),
    )


def _training(repeated: dict[float, Floats], passes: int) -> Picture:
    return curves(
        "associative-memory-training",
        "Repeated training takes the noise away",
        "Noise of what is stored after each pass over it, on a logarithmic scale. The fuller the memory, the slower.",
        [Series(f"load {load:g}", range(passes + 1), np.maximum(curve, 1e-12)) for load, curve in repeated.items()],
        Axis("pass", whole=True),
        Axis("noise, over the spread of the numbers", "log"),
    )
