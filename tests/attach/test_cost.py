import pytest

from unstuck.attach.budget import Budget
from unstuck.attach.cost import Cost


def budget(share: float = 0.1, floor: float = 0.0) -> Budget:
    return Budget(share, floor, start=0.0)


def test_hooks_are_charged_for_every_step_since_the_last_drain() -> None:
    charged = budget()
    cost = Cost(charged, start=0.0)
    for seconds in (1e-6, 2e-6, 90.0):  # the last was interrupted by another process
        cost.note_hook(seconds)
    cost.drained(total=1000, started=1.0, ended=1.001)
    cost.drained(total=1000, started=2.0, ended=2.0)
    assert charged.besides == pytest.approx(0.001 + 2.1 * 2e-6 * 1000)


def test_a_captured_step_costs_what_it_takes_beyond_an_ordinary_one() -> None:
    cost = Cost(budget(), start=0.0)
    assert cost.round_ended(theirs=5.0, ours=1.0, steps=1) == 0.0  # nothing is known to compare with
    cost.drained(total=101, started=16.0, ended=16.0)  # 100 ordinary steps in 10 s
    assert cost.round_ended(theirs=0.35, ours=1.0, steps=1) == pytest.approx(0.25)
    assert cost.round_ended(theirs=0.15, ours=1.0, steps=2) == 0.0


def test_the_share_of_the_run_pays_for_everything() -> None:
    charged = budget(share=0.1)
    charged.attached(0.5)
    charged.charge(0.25)
    assert charged.allowed(now=20.0) == pytest.approx(2.0 - 0.75)
    charged.took(step=0, seconds=0.25, now=20.0)
    assert charged.total == pytest.approx(1.0)


def test_a_slow_start_does_not_use_up_the_floor() -> None:
    charged = budget(share=0.0, floor=2.0)
    charged.attached(5.0)
    assert charged.allowed(now=0.0) == pytest.approx(1.0)
