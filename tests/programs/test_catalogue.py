"""The catalogue is whole: its files exist, its names are unique, and every difficulty is planted and mimicked."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.programs.catalogue import ALL, FOLDER, HEALTHY, IDENTITY, LOOKALIKES, PLANTED, Program

DIFFICULTIES = (
    "step-too-large",
    "step-too-small",
    "vanishing-gradient",
    "exploding-gradient",
    "unstable-gradient",
    "saturated-units",
    "dead-units",
    "bad-initialisation",
    "unscaled-inputs",
    "saddle",
    "flat-region",
    "weight-decay-too-strong",
    "not-finite",
    "gradients-not-zeroed",
    "parameters-not-trained",
    "wrong-gradient",
    "wrong-loss",
    "wrong-output-activation",
    "double-softmax",
    "shape-broadcast",
    "detached-graph",
    "wrong-mode",
    "targets-misaligned",
    "low-precision",
    "unshuffled-batches",
)
FILES = sorted({program.path for program in ALL})


def test_names_are_unique() -> None:
    names = Counter(program.name for program in ALL)
    assert [name for name, count in names.items() if count > 1] == []
    assert len({faulty.name for faulty, _ in PLANTED}) == len(PLANTED)


def test_lists_are_long_enough() -> None:
    assert len({program.file for program in HEALTHY}) >= 18
    assert len(IDENTITY) >= 24


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_each_difficulty_has_three_programs_and_a_lookalike(difficulty: str) -> None:
    planted = {faulty.file for faulty, _ in PLANTED if faulty.expect == difficulty}
    assert len(planted) >= 3
    assert any(program.expect == difficulty for program in LOOKALIKES)


def test_only_known_difficulties_are_named() -> None:
    named = {name for program in ALL for name in (program.expect, *program.also) if name}
    assert named == set(DIFFICULTIES)


def test_twins_differ_in_their_arguments_only() -> None:
    for faulty, sound in PLANTED:
        assert faulty.file == sound.file
        assert faulty.args != sound.args
        assert (faulty.kind, sound.kind, faulty.expect) == ("planted", "repaired", sound.expect)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_a_short_program_that_can_be_seeded_and_compared(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= 80
    assert "--seed" in source
    assert "save_state(" in source
    assert "unstuck" not in source


def test_no_program_is_left_out() -> None:
    helpers = {"_state.py", "catalogue.py", "test_catalogue.py", "__init__.py"}
    assert {path.name for path in FOLDER.glob("*.py")} - helpers == {path.name for path in FILES}


def test_programs_are_frozen() -> None:
    program: Program = HEALTHY[0]
    with pytest.raises(AttributeError):
        program.name = "other"  # type: ignore[misc]
