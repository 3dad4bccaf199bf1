"""Networks of one depth, trained in four ways, each at its best rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.lab.layers import draw, train

#: Learning rates that are tried.
RATES = (0.05, 0.1, 0.2, 0.5, 1.0)
#: The rate at which the ways are compared with each other at the same step.
SAME = 0.2
#: Ways to train: whether the slopes' product is divided out, and whether the layers step one after the other.
WAYS = {
    "all together": (False, False),
    "one after the other": (False, True),
    "undiluted, all together": (True, False),
    "undiluted, one after the other": (True, True),
}


@dataclass(frozen=True)
class Depth:
    """What came of one depth; one number for each way.

    Attributes:
        epochs: Median epochs at the best rate.
        same: Median epochs at the rate ``SAME``.
        arrived: Share of the networks that arrived, at the best rate.
        rates: The best rate.
        slope: Product of the mean slopes of the hidden layers at the start.
    """

    epochs: tuple[float, ...]
    same: tuple[float, ...]
    arrived: tuple[float, ...]
    rates: tuple[float, ...]
    slope: float


def train_in_all_ways(depth: int, seeds: int, limit: int, seed: int) -> Depth:
    """Train networks of one depth in all ways, from the same weights.

    Args:
        depth: Hidden layers.
        seeds: Networks of each rate.
        limit: Most epochs; what has not arrived by then counts as it.
        seed: Of the first weights.
    """
    start = draw(depth, seeds, seed)
    runs = [train(start, RATES, limit, undiluted=undiluted, in_turn=in_turn) for undiluted, in_turn in WAYS.values()]
    medians = [np.median(np.minimum(run.epochs, limit), 1) for run in runs]
    best = [int(values.argmin()) for values in medians]
    return Depth(
        tuple(float(values.min()) for values in medians),
        tuple(float(values[RATES.index(SAME)]) for values in medians),
        tuple(float(np.isfinite(run.epochs[place]).mean()) for run, place in zip(runs, best, strict=True)),
        tuple(RATES[place] for place in best),
        runs[0].slope,
    )
