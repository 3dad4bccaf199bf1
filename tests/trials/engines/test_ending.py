"""How a process has ended, told from what it left: every way is a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trials.fake import Course, write
from unstuck.trials.engines.ending import Ending, classify
from unstuck.trials.spec import Result, Spec, Trial

TRACEBACK = """epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    train()
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB
"""


def ended(
    folder: Path,
    code: int = 0,
    *,
    loss: Any = (1.0,) * 30,
    output: str = "",
    missing: dict[str, str] | None = None,
    remedies: bool = False,
    **ending: Any,
) -> Result:
    """Return the result of a trial of 30 steps that left this."""
    write(folder, Course(np.asarray(loss, dtype=float)))
    (folder / "output.txt").write_text(output)
    if missing is not None:
        (folder / "applied.json").write_text(json.dumps({"missing": missing}))
    spec = Spec("arm", ({"kind": "learning-rate", "factor": 2.0},) if remedies else (), 1, 30, seconds=60)
    return classify(Trial(folder, spec, ("train",)), Ending(code, 1.5, **ending))


def test_all_its_steps_are_done(tmp_path: Path):
    assert ended(tmp_path) == Result("done", 30, 1.5)


def test_an_end_of_its_own_is_short(tmp_path: Path):
    assert ended(tmp_path, loss=(1.0,) * 7) == Result("short", 7, 1.5, "it ended by itself after 7 of 30 steps")


def test_no_step_is_short_with_the_reason(tmp_path: Path):
    result = ended(tmp_path, loss=())
    assert (result.status, result.steps) == ("short", 0)
    assert "no training was seen" in result.reason


def test_a_loss_that_is_lost_for_good_is_not_finite_however_the_program_takes_it(tmp_path: Path):
    losses = [1.0] * 9 + [np.nan] * 8
    expected = Result("not-finite", 17, 1.5, "its loss was not finite at step 10 and at its end")
    assert ended(tmp_path, loss=losses) == expected
    (tmp_path / "rank0.jsonl").unlink()
    assert ended(tmp_path, 1, loss=losses, output=TRACEBACK) == expected


def test_a_single_bad_batch_is_not_the_end(tmp_path: Path):
    assert ended(tmp_path, loss=[*[1.0] * 28, np.nan, 1.0]).status == "done"


def test_a_crash_has_the_line_that_says_why(tmp_path: Path):
    output = TRACEBACK.replace("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "ValueError: no")
    assert ended(tmp_path, 1, output=output + "wandb: done\n").reason == "ValueError: no"
    assert ended(tmp_path, 1, output="bash: no such thing\n").reason == "bash: no such thing"
    assert ended(tmp_path, 3).reason == "it ended with exit code 3"
    assert ended(tmp_path, -11).reason == "SIGSEGV"


def test_memory_that_runs_out_is_told_from_a_crash(tmp_path: Path):
    result = ended(tmp_path, 1, output=TRACEBACK)
    assert result.status == "out-of-memory"
    assert result.reason.startswith("torch.OutOfMemoryError: CUDA out of memory")
    assert ended(tmp_path, -9).status == "out-of-memory"


def test_a_hang_is_a_hang(tmp_path: Path):
    assert ended(tmp_path, -15, loss=(1.0,) * 4, hung=True) == Result("hung", 4, 1.5, "it did not end within 60 s")


def test_remedies_that_found_nothing_to_change_are_not_applied(tmp_path: Path):
    missing = {"learning-rate": "no group has a rate"}
    result = ended(tmp_path, loss=(1.0, 1.0), missing=missing, remedies=True)
    assert result == Result("not-applied", 2, 1.5, "learning-rate: no group has a rate", missing)


def test_steps_without_a_word_of_the_remedies_are_no_measurement_of_them(tmp_path: Path):
    assert ended(tmp_path, remedies=True).status == "not-applied"
    assert ended(tmp_path, remedies=True, missing={}).status == "done"


def test_a_program_that_could_not_be_treated_is_no_measurement(tmp_path: Path):
    (tmp_path / "attach-error-7.txt").write_text("Traceback (most recent call last):\nTypeError: no\n")
    expected = Result("crashed", 30, 1.5, "unstuck could not attach to it: TypeError: no")
    assert ended(tmp_path) == expected
    (tmp_path / "rank0.jsonl").unlink()
    assert ended(tmp_path, 1) == expected  # that is how a process ends that could not be treated


@pytest.mark.parametrize("output", [b"\xff\xfe", b"x" * 200_000])
def test_any_output_is_read(tmp_path: Path, output: bytes):
    write(tmp_path, Course(np.ones(3)))
    (tmp_path / "output.txt").write_bytes(output)
    result = classify(Trial(tmp_path, Spec("arm"), ("train",)), Ending(1, 1.0))
    assert result.status == "crashed"
    assert len(result.reason) <= 300
