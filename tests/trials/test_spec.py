"""One trial as files: what goes in comes out, and a half-written file counts for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.trials.spec import Result, Spec, Trial, read_result, read_spec, write_result, write_spec

SPEC = Spec("x10", ({"kind": "learning-rate", "factor": 10.0},), seed=2, steps=50, total_steps=500, score=True)


def test_a_spec_comes_back_as_it_was(tmp_path):
    trial = Trial(tmp_path / SPEC.name, SPEC, ["python", "train.py"])
    write_spec(trial)
    assert read_spec(trial.folder) == SPEC


def test_trials_that_differ_have_folders_that_differ():
    others = [Spec("x10", seed=2, steps=None), Spec("x10", seed=3, steps=50), Spec("x3", seed=2, steps=50)]
    assert len({SPEC.name, *(spec.name for spec in others)}) == 4


def test_a_result_comes_back_as_it_was(tmp_path):
    result = Result("crashed", 17, 2.5, "ValueError: no")
    write_result(tmp_path, result)
    assert read_result(tmp_path) == result


@pytest.mark.parametrize("text", ["", '{"schema": 1, "sta'])
def test_a_torn_result_is_none(tmp_path: Path, text: str):
    (tmp_path / "result.json").write_text(text)
    assert read_result(tmp_path) is None


def test_no_result_is_none(tmp_path):
    assert read_result(tmp_path) is None


def test_a_missing_spec_is_an_error(tmp_path):
    with pytest.raises(KeyError):
        read_spec(tmp_path)
