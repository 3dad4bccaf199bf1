from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from unstuck import __version__
from unstuck.record import manifest
from unstuck.record.schema import VERSION
from unstuck.settings import Settings


def test_the_beginning_and_the_end_of_a_run_are_written(tmp_path):
    written = manifest.begin(Settings(tmp_path, budget=0.1, floor=5.0, probes=False), ["python", "ä b.py"], "ä-b")
    about = manifest.read(tmp_path)
    assert about == written
    assert about["schema"] == VERSION
    assert about["unstuck"] == __version__
    assert (about["command"], about["program"], about["cwd"]) == (["python", "ä b.py"], "ä-b", str(Path.cwd()))
    assert (about["budget"], about["floor"], about["probes"]) == (0.1, 5.0, False)
    age = datetime.now(timezone.utc) - datetime.fromisoformat(about["started"])
    assert 0 <= age.total_seconds() < 60

    manifest.finish(tmp_path, exit_code=137, signal="SIGKILL", seconds=1.23456)
    end = manifest.read(tmp_path)
    assert {key: end[key] for key in about} == about
    assert (end["exit_code"], end["signal"], end["seconds"]) == (137, "SIGKILL", 1.235)
    assert end["finished"] >= end["started"]


def test_nothing_but_the_manifest_is_left_behind(tmp_path):
    manifest.begin(Settings(tmp_path), ["x"], "x")
    manifest.finish(tmp_path, exit_code=0, signal=None, seconds=0)
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"a": '])
def test_a_missing_or_torn_manifest_is_empty(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    assert manifest.read(tmp_path) == {}


def test_words_that_are_not_unicode_can_be_written(tmp_path):
    manifest.begin(Settings(tmp_path), ["x", os.fsdecode(b"\xff")], "x")
    assert manifest.read(tmp_path)["command"] == ["x", "\udcff"]


def test_a_run_goes_on_while_its_watcher_lives_and_no_longer(tmp_path):
    about = manifest.begin(Settings(tmp_path), ["x"], "x")
    assert manifest.is_running(about)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert not manifest.is_running({**about, "watcher": {"pid": dead.pid, "host": socket.gethostname()}})
    assert not manifest.is_running({**about, "finished": "2026-01-01T00:00:00+00:00"})
    assert manifest.is_running({**about, "watcher": {"pid": dead.pid, "host": "another-host"}})
