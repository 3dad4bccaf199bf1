from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest

from unstuck.errors import UsageError
from unstuck.record import folder


def make(base: Path, name: str, started: str = "") -> Path:
    run = base / name
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps({"schema": 1, "started": started}))
    return run


def test_a_new_folder_is_named_by_time_and_program_and_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = folder.create(Path("unstuck-runs"), "train")
    assert run.is_absolute()
    assert run.is_dir()
    assert run.parent == tmp_path / "unstuck-runs"
    assert re.fullmatch(r"\d{8}-\d{6}-train-[0-9a-f]{4}", run.name)


def test_an_existing_folder_is_never_taken(tmp_path, monkeypatch):
    names = iter(["aaaa", "aaaa", "bbbb"] * 2)  # twice: the clock's second may change in between
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(names))
    assert folder.create(tmp_path, "x") != folder.create(tmp_path, "x")


def test_a_folder_that_is_made_is_hidden_from_git(tmp_path):
    folder.create(tmp_path / "unstuck-runs", "x")
    assert (tmp_path / "unstuck-runs" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_not_hidden_from_git(tmp_path):
    folder.create(tmp_path, "x")
    assert not (tmp_path / ".gitignore").exists()


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file.*--dir DIR"):
        folder.create(tmp_path / "file", "x")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python train.py --epochs 3", "train"),
        ("python -u -W ignore /a/b/train.py data.py", "train"),
        ("python3.12 -m package.sub --config a.py", "package.sub"),
        ("python -c pass -m x", "python"),
        ("torchrun --nproc-per-node 2 train.py", "train"),
        ("python -m torch.distributed.run --nproc-per-node 2 train.py", "train"),
        ("accelerate launch --mixed_precision bf16 train.py", "train"),
        ("/usr/bin/pytest -q", "pytest"),
        ("./größe.py", "größe"),
        ("./-.", "program"),
        ("x" * 300, "x" * 40),
        ("a$b;c", "a-b-c"),
    ],
)
def test_program_name(command, name):
    assert folder.program_name(command.split()) == name


def test_a_module_flag_without_a_module_is_no_error():
    assert folder.program_name(["python", "-m"]) == "python"


def test_runs_are_listed_newest_first_by_their_own_clock(tmp_path):
    late = make(tmp_path, "20260101-000000-a-ffff", "2026-01-01T00:00:00.900000+00:00")
    early = make(tmp_path, "20260101-000000-b-0000", "2026-01-01T00:00:00.100000+00:00")
    (tmp_path / "not-a-run").mkdir()
    assert folder.runs(tmp_path) == [late, early]
    assert folder.runs(tmp_path / "missing") == []


@pytest.fixture
def base(tmp_path):
    make(tmp_path, "20260101-000000-train-aa11", "2026-01-01T00:00:00+00:00")
    make(tmp_path, "20260102-000000-train-bb22", "2026-01-02T00:00:00+00:00")
    return tmp_path


@pytest.mark.parametrize("text", ["bb22", "20260102", "20260102-000000-train-bb22", "latest"])
def test_a_run_is_found_by_name_beginning_end_and_latest(base, text):
    assert folder.find(text, base).name == "20260102-000000-train-bb22"


def test_the_latest_run_is_no_check_where_there_is_another(base):
    check = make(base, "20260103-000000-train-cc33", "2026-01-03T00:00:00+00:00")
    about = json.loads((check / "manifest.json").read_text())
    (check / "manifest.json").write_text(json.dumps({**about, "check": True}))
    assert folder.find("latest", base).name == "20260102-000000-train-bb22"
    for run in folder.runs(base)[1:]:
        (run / "manifest.json").unlink()
    assert folder.find("latest", base) == check


def test_a_run_is_found_by_path_wherever_it_is(base, tmp_path):
    path = base / "20260101-000000-train-aa11"
    assert folder.find(str(path), tmp_path / "elsewhere") == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026", "2 runs fit '2026': 20260102-000000-train-bb22, 20260101-000000-train-aa11; write more"),
        ("zzz", "no run in .* fits 'zzz'; 'unstuck list' shows the 2"),
    ],
)
def test_what_fits_none_or_several_is_refused(base, text, message):
    with pytest.raises(UsageError, match=message):
        folder.find(text, base)


def test_a_folder_that_is_no_run_is_refused_as_such(base, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    with pytest.raises(UsageError, match=r"is not a run folder: it has no manifest\.json"):
        folder.find(str(other), base)


@pytest.mark.parametrize("text", ["latest", "abc"])
def test_where_there_are_no_runs_the_way_to_one_is_named(tmp_path, text):
    with pytest.raises(UsageError, match=r"there are no runs in .*; 'unstuck run -- COMMAND' makes one"):
        folder.find(text, tmp_path)
