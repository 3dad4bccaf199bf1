"""Arms that are the program itself on other seeds, with the curves of real programs: seldom is one called proven."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trials.equal_arms import FILE, Setting, Stored, load, proven

#: Share of races between equal arms that may call one proven.
MOST = 0.07
#: Races in each setting, all programs together.
RACES = 216


@pytest.fixture(scope="module")
def programs() -> dict[str, Stored]:
    return load()


def test_the_curves_are_those_of_many_programs_and_seeds(programs: dict[str, Stored]):
    assert FILE.stat().st_size < 1_000_000
    assert len(programs) >= 4
    for stored in programs.values():
        assert len(stored.losses) == 16
        assert len({row.tobytes() for row in stored.losses}) == 16
        assert np.isfinite(stored.losses).all()
        assert (np.diff(stored.seconds, axis=1) > 0).all()


@pytest.mark.parametrize(
    "setting",
    [Setting(), Setting(seeds=2), Setting(arms=6), Setting(arms=6, slower=100.0), Setting(arms=6, by_time=True)],
    ids=["confirmation", "two seeds", "race", "race of a long program", "race by time"],
)
def test_equal_arms_are_seldom_called_proven(programs: dict[str, Stored], setting: Setting):
    random = np.random.default_rng(1)
    each = -(-RACES // len(programs))
    found = {name: sum(proven(stored, setting, random) for _ in range(each)) for name, stored in programs.items()}
    assert sum(found.values()) <= MOST * each * len(programs), found


def test_an_arm_that_is_three_times_as_fast_is_proven(programs: dict[str, Stored]):
    """The races can prove something: the same curves, with every third step of the arm's left out."""
    stored = programs["linear_regression"]
    random = np.random.default_rng(2)
    assert sum(proven(stored, Setting(speed=3), random) for _ in range(20)) >= 18
