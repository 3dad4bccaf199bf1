from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from unstuck.record import activity

PYTHON = {"kind": "python", "pid": 1}
TORCH = {"kind": "torch", "pid": 1}
START = {"kind": "start", "pid": 1}
OPTIMIZER = {"kind": "optimizer", "optimizer": 0}


def pulse(*steps: int, optimizer: int = 0) -> dict[str, object]:
    return {"kind": "pulse", "optimizer": optimizer, "step": list(steps)}


def write(file: Path, records: list[dict[str, object]], torn: str = "") -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records) + torn)


@pytest.mark.parametrize(
    ("command", "processes", "rank", "sentence"),
    [
        ("ls", [], None, "no Python process was started, or one that ignores PYTHONPATH"),
        ("python x.py", [], None, "no Python process was started, or one that ignores PYTHONPATH"),
        ("python3.12 -I x.py", [], None, "python3.12 -I does not let unstuck in"),
        ("/usr/bin/python -uE -m x", [], None, "/usr/bin/python -uE does not let unstuck in"),
        ("python -c 1 -I", [], None, "no Python process was started"),
        ("python x.py", [PYTHON], None, "the program did not import PyTorch"),
        ("python x.py", [PYTHON, TORCH], None, "PyTorch was imported, but no optimizer of torch.optim was used"),
        ("python x.py", [PYTHON, TORCH], [START], "PyTorch was imported, but no optimizer of torch.optim was used"),
        ("python x.py", [PYTHON, TORCH], [START, OPTIMIZER], r"its step\(\) was never called"),
    ],
)
def test_why_nothing_was_seen(tmp_path, command, processes, rank, sentence):
    (tmp_path / "manifest.json").write_text(json.dumps({"command": command.split()}))
    if processes:
        write(tmp_path / "processes.jsonl", processes)
    if rank:
        write(tmp_path / "rank0.jsonl", rank)
    why = activity.why_nothing_was_seen(tmp_path)
    assert why is not None
    assert "\n" not in why
    assert re.search(sentence, why)


def test_where_a_step_was_seen_nothing_is_to_be_explained(tmp_path):
    write(tmp_path / "rank0.jsonl", [START, OPTIMIZER])
    write(tmp_path / "rank1.jsonl", [START, OPTIMIZER, pulse(0)])
    assert activity.why_nothing_was_seen(tmp_path) is None


def test_an_error_while_attaching_goes_before_other_reasons(tmp_path):
    write(tmp_path / "processes.jsonl", [PYTHON, TORCH])
    (tmp_path / "attach-error-7.txt").write_text("Traceback ...\n  ...\nValueError: too odd\n")
    why = activity.why_nothing_was_seen(tmp_path)
    assert why is not None
    assert "could not attach to the program (ValueError: too odd)" in why
    assert "attach-error-7.txt" in why


def test_a_run_inside_a_run_is_pointed_to(tmp_path):
    write(tmp_path / "processes.jsonl", [PYTHON])
    activity.note_nested(tmp_path, tmp_path / "inner")
    why = activity.why_nothing_was_seen(tmp_path)
    assert why is not None
    assert why.endswith(str(tmp_path / "inner"))


@pytest.mark.parametrize(
    ("records", "steps"),
    [
        ([], None),
        ([START], None),
        ([START, pulse(0, 1, 2)], 3),
        ([START, pulse(0, 1), pulse(0, optimizer=1), pulse(2, 9)], 11),
        ([START, pulse(0, 1), {"kind": "end", "steps": 40}], 40),
    ],
)
def test_steps_so_far(tmp_path, records, steps):
    write(tmp_path / "rank0.jsonl", records, torn='{"kind":"pulse","optimizer":0,"step":[99')
    assert activity.steps_so_far(tmp_path) == steps


def test_steps_so_far_reads_the_end_of_a_long_record(tmp_path):
    write(tmp_path / "rank0.jsonl", [pulse(step) for step in range(5000)])
    assert activity.steps_so_far(tmp_path) == 5000


def test_steps_so_far_without_a_record(tmp_path):
    assert activity.steps_so_far(tmp_path) is None
