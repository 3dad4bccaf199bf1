"""``valley``: the narrower the valley, the more steps; how many, by four methods that see gradients only."""

from __future__ import annotations

import math

import numpy as np
import torch

from unstuck.lab.descents import METHODS, Rule, descend, late_factor
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.hessian_memory import Network, peak_bytes
from unstuck.lab.plots import Floats
from unstuck.lab.valley_pictures import counted, sizes, tracks

_CONDITIONS = (10.0, 100.0, 1000.0, 10_000.0)
_TOLERANCE = 1e-6
#: Steps of every descent: twice what the slowest needs.
_STEPS = 140_000
#: The valley of the dissertation's figure 2, our numbers: ``E = (x^2 + 100 y^2) / 2``.
_VALLEY, _START = np.array([1.0, 100.0]), np.array([-10.0, 1.0])
_PATHS = {
    "gradient descent": Rule(0.0198),
    "momentum 0.9": Rule(0.01, 0.9),
    "best momentum": METHODS[3].rule(1.0, 100.0),
}
_WIDTHS = (8, 16, 32, 64)


class Valley(Experiment):
    """Show how the number of steps grows with the condition number, and what second order would cost.

    Each method descends a bowl of two dimensions from (1, 1), with the best rate and momentum for its two curvatures.
    In the long run a step leaves a constant factor of the error, which theory gives; Newton's method needs one step
    at any condition number, but a matrix as large as the square of the number of weights.
    """

    name = "valley"
    title = "The narrow valley: momentum, Nesterov and Newton"
    source = "Learning with backpropagation (dissertation chapter), figure 2; rates: Polyak 1964, Lessard et al. 2016"
    difficulties = ("step-too-large", "step-too-small")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Descend at each condition number by each method, walk the valley, and measure the memory."""
        steps, factors = _measure()
        paths = _walk()
        arrivals = {label: _arrival((points**2 * _VALLEY).sum(1)) for label, points in paths.items()}
        arrivals["Newton"] = 1
        memory = _memory(setting)
        largest, dense, product = memory[-1]
        plain, heavy = steps[METHODS[0].label], steps[METHODS[3].label]
        return Outcome(
            seen=(
                f"In a valley ten thousand times steeper across than along, gradient descent needs {plain[-1]:,} steps "
                f"to a millionth of the distance, and {plain[1]:,} in one that is a hundred times steeper: as many "
                "times more as the valley is narrower.",
                f"Momentum, kept from step to step, needs {heavy[-1]:,} and {heavy[1]:,}: the number grows with the "
                "square root only.",
                f"Newton's method needs one step in any valley, but its matrix took {dense / 1e6:,.0f} MB for "
                f"{largest:,} weights and grows with their square (4 TB for a million), where a "
                f"product of that matrix with a vector took {product / 1e6:,.2f} MB.",
            ),
            comparisons=(*_rates(factors), *_counts(steps), *_arrivals(arrivals), *_bytes(memory)),
            pictures=(counted(steps, _CONDITIONS, _TOLERANCE), tracks(paths), sizes(memory)),
            settings={
                "bowl": "E = (x^2 + k y^2) / 2, from (1, 1), float64",
                "condition numbers k": ", ".join(f"{k:g}" for k in _CONDITIONS),
                "gradient descent": "rate 2 / (L + l), L and l being the largest and the smallest curvature",
                "Nesterov": "rate 1 / L, momentum (sqrt(k) - 1) / (sqrt(k) + 1)",
                "Nesterov, best": "rate 4 / (3 L + l), momentum (sqrt(3 k + 1) - 2) / (sqrt(3 k + 1) + 2)",
                "heavy ball": "rate 4 / (sqrt(L) + sqrt(l))^2, momentum ((sqrt(k) - 1) / (sqrt(k) + 1))^2",
                "the path": "E = (x^2 + 100 y^2) / 2 from (-10, 1), until a millionth of the error is left; "
                "gradient descent 0.0198, momentum 0.01 and 0.9, best momentum 0.0331 and 0.669",
                "memory": f"networks of one hidden layer with {', '.join(map(str, _WIDTHS))} units and half as many "
                "inputs, 16 examples, float32; the most bytes of tensors alive at a time",
            },
            notes=(
                "The dissertation's figure gives no numbers, so that the setting of the path is ours. What is compared "
                "is the long-run rate, with that of theory; agreement is within 2 per cent, for at its best momentum "
                "leaves n r^n of the error and not r^n, which fades slowly.",
                "For the same reason the counts of momentum lie above the line of the rate alone.",
            ),
        )


def _measure() -> tuple[dict[str, list[int]], dict[str, float]]:
    """Return each method's steps to the tolerance by condition number, and its late factor at the largest."""
    cases = [(method, k) for method in METHODS for k in _CONDITIONS]
    curvatures = np.array([[1.0, k] for _, k in cases])
    points = descend([method.rule(1.0, k) for method, k in cases], curvatures, np.ones(2), _STEPS)
    errors = np.linalg.norm(points, axis=2) / math.sqrt(2)
    steps: dict[str, list[int]] = {method.label: [] for method in METHODS}
    for number, (method, _) in enumerate(cases):
        steps[method.label].append(_arrival(errors[:, number]))
    last = len(_CONDITIONS) - 1
    return steps, {m.label: late_factor(errors[:, cases.index((m, _CONDITIONS[last]))]) for m in METHODS}


def _arrival(errors: Floats) -> int:
    """Return the first step with a millionth of the first error."""
    return int(np.flatnonzero(errors <= _TOLERANCE * errors[0])[0])


def _walk() -> dict[str, Floats]:
    rules = list(_PATHS.values())
    points = descend(rules, np.tile(_VALLEY, (len(rules), 1)), _START, 400)
    return {label: points[:, number] for number, label in enumerate(_PATHS)}


def _memory(setting: Setting) -> list[tuple[int, int, int]]:
    """Return weights, bytes of the Hessian, and bytes of a product, for each network."""
    rows = []
    for width in _WIDTHS[: 3 if setting.quick else 4]:
        network = Network(width // 2, width, torch.Generator().manual_seed(setting.seed))
        vector = torch.ones(network.size)
        rows.append((network.size, peak_bytes(network.hessian), peak_bytes(lambda: network.product(vector))))  # noqa: B023
    return rows


def _rates(factors: dict[str, float]) -> list[Comparison]:
    rows = []
    for method in METHODS:
        theory = method.steps(_CONDITIONS[-1], 0.1)
        ours = math.log(0.1) / math.log(factors[method.label])
        what = f"{method.label}: steps per factor of ten, k = {_CONDITIONS[-1]:,.0f}"
        band = (0.98 * theory, 1.02 * theory)
        rows.append(
            Comparison(what, ours, "long run", f"{theory:,.1f}", method.source, "remembered", band, form=",.1f")
        )
    return rows


def _counts(steps: dict[str, list[int]]) -> list[Comparison]:
    spread = "k = " + ", ".join(f"{k:g}" for k in _CONDITIONS)
    return [
        Comparison(
            f"{label}: steps to 1e-6, k = {_CONDITIONS[-1]:,.0f}",
            counts[-1],
            f"{' / '.join(map(str, counts))} at {spread}",
            form=",d",
        )
        for label, counts in steps.items()
    ]


def _arrivals(arrivals: dict[str, int]) -> list[Comparison]:
    return [Comparison(f"path, {label}: steps to 1e-6 of the error", n, form="d") for label, n in arrivals.items()]


def _bytes(memory: list[tuple[int, int, int]]) -> list[Comparison]:
    size, dense, product = memory[-1]
    return [
        Comparison(f"Hessian of {size:,} weights: bytes per pair of weights", dense / size**2, "matrix: 4", form=".2f"),
        Comparison(f"product with it: bytes per weight, {size:,} weights", product / size, form=".1f"),
    ]
