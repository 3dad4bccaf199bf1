"""A whole race of a program that saves in every way: in its folder, and where else it saves, not a byte has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.momentum import Momentum
from unstuck.trials.arm import Arm
from unstuck.trials.budget import RaceSettings
from unstuck.trials.engines.local import LocalEngine
from unstuck.trials.race import run_race

HELPER = """
def append(file):
    with open(file, "a") as log:
        log.write("more\\n")
"""
SAVED = """
model.pt buffer.pt best.pt best.old.pt last/1.pt array.npy arrays.npz table.txt raw.bin mapped.bin frame.csv history.csv
frame.json runs.db log.txt log.csv config.json config.moved.json state.pkl log.gz files.zip files.tar weights.bin
atomic.txt copied/0.pt scratch/deep/file.txt long.txt unwanted.txt number.txt latest child.txt child.npy thread.txt
fork.txt spawn.txt run.log rotating.log
""".split()


def tree(*folders: Path) -> dict[str, tuple[object, ...]]:
    """Return all that is in folders: bytes, modes, owners, links, inodes, sizes and times, those of folders too."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [path for folder in folders for path in (folder, *folder.rglob("*"))]:
        at = path.lstat()
        content = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (content, at.st_mode, at.st_uid, at.st_nlink, at.st_ino, at.st_size, at.st_mtime_ns)
    return found


@pytest.mark.slow
def test_a_whole_race_leaves_every_byte_and_time_of_the_users_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere, home / "last", home / "scratch" / "old", tmp_path / "tmp"):
        folder.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("saves.py"), home / "train.py")
    (home / "helper.py").write_text(HELPER)
    (home / "mapped.bin").write_bytes(bytes(32))
    for name in "weights.bin long.txt unwanted.txt".split():
        (home / name).write_text(f"the user's {name}\n")
    for name in [name for name in os.environ if name.startswith("UNSTUCK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.chdir(home)
    command = (sys.executable, "train.py", str(elsewhere))
    subprocess.run(command, check=True, capture_output=True)  # the user's own run saves as ever
    before = tree(home, elsewhere)
    assert len(before) > 50

    # Longer than it takes, so that none counts as hung on a busy machine.
    settings = RaceSettings(tmp_path / "trials", command, steps=60, seconds=30.0, startup=29.0, seeds=(2, 3))
    table = run_race(settings, [Arm((LearningRate(3.0),)), Arm((Momentum(0.9),))], LocalEngine(2))
    assert tree(home, elsewhere) == before
    assert {row.stage for row in table.rows} >= {"confirmation"}
    assert len(table.trials) >= 7
    for trial, result in table.trials.values():
        assert result is not None
        assert result.status == "done", result.reason
        assert "saved" in (trial.folder / "output.txt").read_text()
        files = trial.folder / "files"
        saved = {str(path.relative_to(files)) for path in files.rglob("*")}
        assert saved >= set(SAVED)
        far = {path.name for path in (files / "abs" / elsewhere.relative_to("/")).iterdir()}
        assert far == set("checkpoint.pt frame.pkl notes.md child.txt child.npy pool.txt".split())
