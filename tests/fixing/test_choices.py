"""What a user chooses about trials: refused in one sentence, in the words of the place where it was chosen."""

from __future__ import annotations

import pytest

from unstuck.errors import UsageError
from unstuck.fixing.choices import Choices
from unstuck.trials.engines.local import LocalEngine


def test_what_is_left_to_us():
    choices = Choices()
    choices.check()
    assert (choices.budget_factor, choices.seed_numbers) == (3.0, (2, 3, 4))
    assert isinstance(choices.open_engine(), LocalEngine)


def test_what_is_chosen_holds():
    choices = Choices(trials_budget=0.5, seeds=2, slots=5)
    choices.check()
    assert (choices.budget_factor, choices.seed_numbers, choices.open_engine().slots) == (0.5, (2, 3), 5)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (Choices(engine="slurm"), "engine is one of local, ray; got 'slurm'"),
        (Choices(trials_budget=0), "trials_budget is a number above 0, such as 3; got 0"),
        (Choices(trials_budget=float("nan")), "such as 3; got nan"),
        (Choices(trials_budget="3"), "such as 3; got '3'"),
        (Choices(seeds=1), "seeds is a whole number of 2 or more: one pair has no interval; got 1"),
        (Choices(seeds=2.5), "got 2.5"),
        (Choices(slots=0), "slots is the number of trials that run at the same time, 1 or more; got 0"),
        (Choices(slots="all"), "got 'all'"),
    ],
)
def test_what_cannot_be_is_refused(choices, said):
    with pytest.raises(UsageError, match=said):
        choices.check()
    with pytest.raises(UsageError, match=r"^--"):
        choices.check(lambda name: f"--{name}")
