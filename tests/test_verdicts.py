"""Verdicts on whole programs: planted faults found, their repaired twins, look-alikes and healthy programs not accused.

``python -m benchmarks.verdicts`` runs the whole catalogue; here are twelve healthy programs on two seeds, a planted
pair and a look-alike per difficulty, and the four programs on which peers were compared, on three seeds.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.verdicts import judge
from tests.programs.catalogue import HEALTHY, LOOKALIKES, PLANTED, Program

_HEALTHY, _PAIRS, _LOOKALIKES = 12, 1, 1


def _first(programs: list[Program], count: int) -> list[Program]:
    """Return the first ``count`` programs of each difficulty."""
    seen: Counter[str] = Counter()
    return [p for p in programs if not seen.update([p.expect]) and seen[p.expect] <= count]  # type: ignore[func-returns-value]


def _four() -> list[tuple[Program, int]]:
    expected = {"sigmoid": "vanishing-gradient", "high": "step-too-large", "low": "step-too-small", "sound": ""}
    programs = [
        Program(f"digits_four {case}", "digits_four.py", ("--case", case), "planted" if name else "healthy", name)
        for case, name in expected.items()
    ]
    return [(program, seed) for program in programs for seed in range(3)]


def _cases() -> list[tuple[Program, int]]:
    cases = [(program, seed) for program in HEALTHY[:_HEALTHY] for seed in range(2)]
    pairs = _first([faulty for faulty, _ in PLANTED], _PAIRS)
    cases += [(program, 0) for pair in PLANTED if pair[0] in pairs for program in pair]
    return cases + [(program, 0) for program in _first(list(LOOKALIKES), _LOOKALIKES)] + _four()


@pytest.mark.parametrize(("program", "seed"), _cases(), ids=lambda value: getattr(value, "name", f"seed {value}"))
def test_the_verdict_is_right(program: Program, seed: int, tmp_path: Path) -> None:
    outcome = judge(program, seed, tmp_path / "run")
    assert outcome.state != "error"
    assert outcome.right, f"{outcome.state}: causes {outcome.causes}, symptoms {outcome.symptoms}"
