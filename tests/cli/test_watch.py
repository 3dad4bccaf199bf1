from __future__ import annotations

import json
import signal
import sys
import time

import pytest

from tests.cli.runner import UNSTUCK, finish, only_run, start

STEP = {"kind": "pulse", "optimizer": 0, "step": [0], "time": [0.1], "loss": [0.5], "lr": [0.1]}
PROGRAM = f"""
import os, sys
file = open(os.environ["UNSTUCK_RUN_DIR"] + "/rank0.jsonl", "w", buffering=1)
file.write('''{json.dumps(STEP)}''' + chr(10))
sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path):
    """A run that goes on until its standard input is closed."""
    process = start([*UNSTUCK, "run", "--quiet", "--", sys.executable, "-c", PROGRAM], tmp_path)
    end = time.monotonic() + 20
    while not list(tmp_path.glob("unstuck-runs/*/rank0.jsonl")) and time.monotonic() < end:
        time.sleep(0.02)
    yield process
    process.kill()
    process.communicate()


def test_it_shows_the_run_until_it_ends(tmp_path, run):
    watch = start([*UNSTUCK, "watch"], tmp_path)
    time.sleep(1.5)
    assert watch.poll() is None
    finish(run)
    done = finish(watch)
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode()
    assert only_run(tmp_path).name in out
    assert "step 1" in out
    assert "loss 0.5" in out
    assert f"the run has ended (exit code 0); 'unstuck report {only_run(tmp_path).name}' shows the verdict" in out


def test_control_c_ends_the_watching_and_not_the_run(tmp_path, run):
    watch = start([*UNSTUCK, "watch", "latest"], tmp_path)
    assert watch.stdout is not None
    while b"step" not in watch.stdout.readline():  # while it starts, Ctrl-C may meet any import
        pass
    watch.send_signal(signal.SIGINT)
    done = finish(watch)
    assert (done.returncode, done.stderr) == (0, b"")
    assert run.poll() is None


def test_a_run_whose_launcher_was_killed_has_ended(tmp_path, run):
    run.kill()
    run.wait()
    done = finish(start([*UNSTUCK, "watch"], tmp_path))
    assert "the run has ended (killed)" in done.stdout.decode()
