"""Whether the seed decides: two groups of ends, clearly apart."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trials.test_objective import curve, falling
from unstuck.trials.restarts import restarts


def ending(*levels: float, noise: float = 0.002, start: float = 2.0):
    return [falling(start=start, end=level, noise=noise) for level in levels]


def test_seeds_that_end_apart_are_two_groups():
    found = restarts(ending(0.3, 0.01, 0.31, 0.012))
    assert (found.good, found.seeds, found.runs, found.steps) == (2, 4, 2.0, 500)
    assert found.level == pytest.approx(0.011, abs=0.02)
    assert found.other == pytest.approx(0.305, abs=0.02)
    assert found.sentence.startswith("The seed decides: 2 of 4 seeds end at a loss of ")
    assert found.sentence.endswith("it takes 2 runs to get there, on average.")


def test_seeds_that_are_lost_are_a_group():
    lost = np.full(500, np.inf)
    lost[:20] = 2.0
    found = restarts([*ending(0.1, 0.1), curve(lost), curve(lost)])
    assert (found.good, found.other) == (2, np.inf)
    assert "the others lose it to NaN or infinity" in found.sentence
    assert restarts([curve(lost)] * 3) is None


@pytest.mark.parametrize(
    "curves",
    [
        ending(0.1, 0.5),  # two seeds say nothing about a share
        ending(0.3, 0.31, 0.29, 0.3),
        ending(0.1, 0.2, 0.4),  # no groups, but a scatter
        ending(1e-5, 1e-5, 9e-5, 9e-5, noise=0.0),  # nearly all of the way in any case
        ending(0.3, 0.3, 0.7, 0.7, noise=0.5),  # not above the noise
        ending(1.0, 1.0, 1.5, 1.5),  # apart, but not by a factor
        [],
    ],
)
def test_other_ends_do_not_say_that_the_seed_decides(curves):
    assert restarts(curves) is None


def test_losses_below_zero_are_told_apart_by_their_gap():
    assert restarts(ending(-3.0, -3.1, -0.5, -0.6, start=2.0)).good == 2
