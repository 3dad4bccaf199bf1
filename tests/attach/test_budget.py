"""When probes are taken: early steps first, then as time passes, within the share of the run that was given."""

from __future__ import annotations

from itertools import pairwise

import pytest

from unstuck.attach.budget import Budget


def simulate(*, share: float, floor: float, probe: float, step: float, steps: int) -> tuple[list[int], float]:
    """Run a budget over steps of ``step`` seconds with probes of ``probe`` seconds; return probes and the time."""
    now, probed = 100.0, []
    budget = Budget(share, floor, now)
    for number in range(steps):
        probing = budget.wants(number, now)
        now += step
        if probing:
            budget.learn("probe", probe)
            now += probe
            budget.took(number, probe, now)
            probed.append(number)
    return probed, now - 100.0


def test_the_first_steps_come_first():
    probed, _ = simulate(share=0.03, floor=2.0, probe=1e-4, step=0.01, steps=100)
    assert probed[0] == 0
    assert len([number for number in probed if number < 10]) >= 4


@pytest.mark.parametrize("probe", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("step", [0.001, 0.05])
def test_a_long_run_stays_within_its_share(probe, step):
    probed, seconds = simulate(share=0.03, floor=0.5, probe=probe, step=step, steps=int(600 / step))
    assert len(probed) * probe <= max(0.03 * seconds, 0.5) + probe
    assert len(probed) >= min(0.5 * 0.03 * seconds / probe, 15)


def test_later_probes_come_as_time_passes():
    probed, _ = simulate(share=0.03, floor=2.0, probe=0.01, step=0.01, steps=60_000)
    late = [number for number in probed if number > 30_000]
    assert len(late) >= 4
    assert max(b - a for a, b in pairwise(late)) < 12_000


def test_without_share_and_floor_there_is_no_second_probe():
    probed, _ = simulate(share=0.0, floor=0.0, probe=0.01, step=0.01, steps=1000)
    assert probed == [0]  # what it costs is not known before


def test_a_measurement_that_was_dear_is_believed_to_be_dear():
    budget = Budget(0.03, 2.0, 0.0)
    assert budget.affords("sharpness", 0.1, 0.0, 0.0)
    budget.learn("sharpness", 5.0)
    assert not budget.affords("sharpness", 0.1, 0.0, 0.0)
    for _ in range(8):
        budget.learn("sharpness", 0.05)
    assert budget.affords("sharpness", 0.1, 0.0, 0.0)


def test_time_besides_probes_counts_for_the_share():
    budget = Budget(0.1, 0.0, 0.0)
    before = budget.allowed(100.0)
    budget.charge(4.0)
    assert budget.allowed(100.0) == pytest.approx(before - 4.0)
