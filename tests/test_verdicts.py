"""Verdicts on whole programs: planted faults found, their repaired twins, look-alikes and healthy programs not accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.verdicts import judge
from tests.programs.catalogue import HEALTHY, LOOKALIKES, PLANTED, Program

#: Healthy programs of different kinds, each on three seeds; the others run on one.
_ON_THREE_SEEDS = 12


def _cases() -> list[tuple[Program, int]]:
    cases = [(p, s) for p in HEALTHY[:_ON_THREE_SEEDS] for s in (0, 1, 2)]
    cases += [(p, 0) for pair in PLANTED for p in pair]
    return cases + [(p, 0) for p in LOOKALIKES]


@pytest.mark.parametrize(("program", "seed"), _cases(), ids=lambda value: getattr(value, "name", f"seed {value}"))
def test_the_verdict_is_right(program: Program, seed: int, tmp_path: Path) -> None:
    outcome = judge(program, seed, tmp_path / "run")
    assert outcome.state != "error"
    assert outcome.right, f"{outcome.state}: causes {outcome.causes}, symptoms {outcome.symptoms}"
