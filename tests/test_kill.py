"""A program that is killed at any moment leaves a record that can be read, and at most the last second is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import unstuck
from unstuck.record.reader import read_run

#: Writes the time of every step beside the record, through the operating system as the record itself.
PROGRAM = """
import os, time
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
steps = os.open("steps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
while True:
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
    os.write(steps, b"%.6f\\n" % time.monotonic())
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UNSTUCK_")}
    env = {**clean, "PYTHONPATH": str(Path(unstuck.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "unstuck", "run", "--quiet", "--", sys.executable, "train.py"]
    return subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.DEVNULL, start_new_session=True)


def kill_after_the_first_step(process: subprocess.Popen[bytes], folder: Path, delay: float) -> float:
    """Kill the program and its launcher ``delay`` seconds after its first step, and return the time."""
    deadline = time.monotonic() + 60
    while not (folder / "steps").exists() or (folder / "steps").stat().st_size == 0:
        assert time.monotonic() < deadline, "the program did not start"
        assert process.poll() is None, "the program ended by itself"
        time.sleep(0.005)
    time.sleep(delay)
    moment = time.monotonic()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return moment


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_at_most_the_last_second_is_lost(number: int, tmp_path: Path) -> None:
    delay = random.Random(number).uniform(0, 0.4 if number % 2 else 2.5)
    folder = tmp_path / "program"
    process = start(folder)
    moment = kill_after_the_first_step(process, folder, delay)
    (recorded,) = (folder / "unstuck-runs").glob("*/manifest.json")
    run = read_run(recorded.parent)
    assert run.end is None
    times = [float(line) for line in (folder / "steps").read_text().splitlines(keepends=True) if line.endswith("\n")]
    old = sum(when <= moment - 1.0 for when in times)
    assert run.steps >= old
    assert run.steps <= len(times) + 1  # a step may be written down here and not there, never the other way round
    if run.pulse:
        assert list(run.pulse[0].step) == list(range(len(run.pulse[0])))
