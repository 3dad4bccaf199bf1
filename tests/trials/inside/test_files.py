"""What a program writes in a trial goes to the trial's folder, where it finds it; the user's files keep their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import types
from pathlib import Path

import pytest

from unstuck.trials.inside import libraries
from unstuck.trials.inside.overlay import Overlay

HERE = Path(__file__).parent
NAMES = "history.csv weights.bin old.txt config.json unwanted.txt long.txt mapped.bin checkpoint.pt model.pt raw.bin"
IN_FOLDERS = "folder_a/a.txt folder_b/b.txt folder_d/d.txt"


def hashes(*folders):
    """Return the bytes' hashes and the modes and times of all that is in folders."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            status = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = (content, status.st_mode, status.st_mtime_ns if path.is_file() else 0)
    return found


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Run the program once; give what it saw, the trial's folder, and the user's files before and after."""
    root = tmp_path_factory.mktemp("user")
    home, elsewhere, trial = root / "home", root / "elsewhere", root / "runs" / "trial"
    for folder in (home, elsewhere, root / "tmp"):
        folder.mkdir()
    for name in f"{NAMES} {IN_FOLDERS}".split():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(f"user's {name}\n")
    (elsewhere / "out.txt").write_text("user's")
    base = sqlite3.connect(home / "runs.db")
    base.execute("CREATE TABLE runs (n)")
    base.execute("INSERT INTO runs VALUES (1)")
    base.commit()
    base.close()
    before = hashes(home, elsewhere)
    environment = {**os.environ, "TMPDIR": str(root / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "error", str(HERE / "writes.py"), str(trial / "files"), str(elsewhere)]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    profiler = "USDT:"  # torch's says when it starts, at any level
    assert not [line for line in done.stderr.splitlines() if not line.startswith(profiler)]
    seen = json.loads(done.stdout.rpartition("seen")[2])
    return seen, trial / "files", before, hashes(home, elsewhere)


def test_not_a_byte_of_the_users_changes_and_nothing_appears_beside_it(outcome):
    _, _, before, after = outcome
    assert len(before) > 15
    assert after == before


def test_what_it_wrote_lies_in_the_trials_folder(outcome):
    _, files, _, _ = outcome
    names = {path.name for path in files.iterdir()}
    wanted = "model.pt log.txt history.csv array.npy arrays.npz table.txt raw.bin runs.db bytes.txt descriptor.txt"
    wanted += " exported.pt2 package.pt trace.json"
    assert names >= set(wanted.split())
    assert (files / "log.txt").read_text() == "new\n"
    assert [path.read_text() for path in (files / "abs").rglob("out.txt")] == ["far"]
    assert not list(files.rglob("*.tmp"))
    assert not list(files.glob("tmp*"))


EXPECTED = {
    "model": [1.0, 1.0],
    "traced": 1.0,
    "exported": [1, 1],
    "package": "packed",
    "trace": True,
    "log": "new\n",
    "history": "user's history.csv\n3,0.1\n",
    "weights": "uXer's weights.bin\n",
    "array": [0, 1, 2, 3],
    "raw": [0, 1, 2],
    "mapped": 9,
    "rows": [1, 2],
    "checkpoint": "second",
    "size": 2,
    "far": "far",
    "bytes": 1,
    "device": 1,
    "child": "new\n child",
    "forked": "fork",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_program_reads_what_it_wrote(outcome, name):
    assert outcome[0][name] == EXPECTED[name]


def test_what_it_moved_and_removed_is_where_it_left_it(outcome):
    seen = outcome[0]
    assert seen["exists"] == {
        "old.txt": False,
        "runs/older.txt": True,
        "unwanted.txt": False,
        "folder_b": False,
        "folder_a": True,
    }
    assert seen["folder_a"] == ["fresh.txt"]  # removed with all that was in it, and made anew
    assert seen["folder_c"] == ["b.txt"]
    assert seen["folder_e"] == ["d.txt"]


def test_folders_show_both_what_is_the_users_and_what_is_new(outcome):
    seen = outcome[0]
    assert seen["folder_d"] == ["d.txt", "inside.txt"]
    assert seen["walk"] == ["runs/config.json", "runs/older.txt", "runs/one/notes.md", "runs/two/here.txt"]
    there = ["bytes.txt", "descriptor.txt", "log.txt", "long.txt", "table.txt", "runs/two/here.txt"]
    assert seen["glob"] == there


def test_it_is_refused_what_the_system_refuses(outcome):
    exists, missing = "FileExistsError", "FileNotFoundError"
    wanted = [exists, exists, exists, "OSError", missing, missing, missing, "OSError", "IsADirectoryError"]
    assert outcome[0]["refused"] == wanted


def test_links_lead_to_what_the_trial_wrote_and_never_let_it_write_to_the_users(outcome):
    seen = outcome[0]
    assert seen["latest"] == ["through a link", "through a link", True]
    assert seen["data"] == ["d.txt", "inside.txt"]


def test_a_folder_of_its_own_can_be_worked_in(outcome):
    assert outcome[0]["cwd"] == "two"
    assert outcome[0]["up"]


def layers(tmp_path, *excluded):
    return Overlay(str(tmp_path / "trial" / "files"), str(tmp_path), [f"{tmp_path}/trial/", *excluded])


def test_each_path_has_its_place_and_some_are_no_business_of_ours(tmp_path):
    overlay = layers(tmp_path, "/dev/", "/tmp/", f"{tmp_path}/cache/")
    files = tmp_path / "trial" / "files"
    assert overlay.place(tmp_path / "a.txt") == (f"{tmp_path}/a.txt", f"{files}/a.txt")
    assert overlay.place("/etc/hosts") == ("/etc/hosts", f"{files}/abs/etc/hosts")
    assert overlay.place(f"{files}/a.txt") == overlay.place(tmp_path / "a.txt")  # the name that an open file has
    for path in (3, None, b"/dev/null", "/tmp/x", f"{tmp_path}/trial/x", f"{tmp_path}/cache/x", "a/__pycache__/b", ""):
        assert overlay.place(path) is None
        assert overlay.seen(path) is path
        assert overlay.written(path) is path


def test_what_is_hidden_stays_hidden_when_it_is_made_anew(tmp_path):
    overlay = layers(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    own = str(tmp_path / "folder")
    overlay.hide(own)
    assert overlay.mode(f"{own}/a.txt") is None
    Path(overlay.written(f"{own}/a.txt", folders=True)).parent.mkdir(parents=True, exist_ok=True)
    assert overlay.names(*overlay.place(own)) == []
    assert (tmp_path / "folder" / "a.txt").read_text() == "a"


def test_libraries_that_open_files_themselves_get_the_copys_path(tmp_path, monkeypatch):
    calls = []
    fake = types.ModuleType("safetensors")
    fake.__spec__ = None
    fake.serialize_file = lambda tensors, filename, metadata=None: calls.append(filename)
    fake.safe_open = lambda filename, framework: calls.append(filename)
    monkeypatch.setitem(sys.modules, "safetensors", fake)
    monkeypatch.setattr("sqlite3.connect", sqlite3.connect)
    monkeypatch.setattr("sqlite3.dbapi2.connect", sqlite3.dbapi2.connect)
    overlay = layers(tmp_path)
    libraries.redirect(overlay)
    fake.serialize_file({}, str(tmp_path / "a.safetensors"))
    fake.serialize_file({}, filename=tmp_path / "b.safetensors")
    (tmp_path / "c.safetensors").touch()
    fake.safe_open(str(tmp_path / "c.safetensors"), "pt")
    files = tmp_path / "trial" / "files"
    assert calls == [f"{files}/a.safetensors", f"{files}/b.safetensors", f"{tmp_path}/c.safetensors"]
    for database in (str(tmp_path / "x.db"), f"file:{tmp_path}/y.db?mode=rwc"):
        sqlite3.connect(database, uri=True).close()
    sqlite3.connect(":memory:").close()
    assert {path.name for path in files.iterdir()} == {"y.db"} | {"x.db"}
    assert not list(tmp_path.glob("*.db"))
