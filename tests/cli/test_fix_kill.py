"""``unstuck fix`` killed at random moments: it goes on to the same table, and no process of the race is left behind."""

from __future__ import annotations

import json
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import UNSTUCK, environment, only_run, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc"),
]

PROGRAM = """
import torch
from torch import nn
torch.manual_seed(0)
x = torch.randn(640, 8)
y = (x @ torch.randn(8, 3)).argmax(1)
model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(120):
    rows = torch.randint(640, (64,))
    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
torch.save(model.state_dict(), "model.pt")
"""
KILLS = 10
#: A driver is killed so many seconds after its start at most, or after the start of its first trial.
LATEST = 4.0
#: Every process of a race inherits this variable from its driver.
MARK = "UNSTUCK_TEST_RACE"
OPTIONS = ("--seeds", "2", "--slots", "2")


class Race:
    """The drivers of one race, one after the other.

    Attributes:
        folder: The folder of the program.
        mark: What tells the race's processes from all others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = secrets.token_hex(16)

    @property
    def trials(self) -> Path:
        return only_run(self.folder) / "trials"

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a driver: of a new race in a folder without runs, else of the one that is there."""
        if not words:
            words = ("--resume", "latest", *(() if (self.trials / "table.json").exists() else OPTIONS))
        variables = environment(OMP_NUM_THREADS="1", **{MARK: self.mark})
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return start([*UNSTUCK, "fix", *words], self.folder, variables, **streams)

    def finish(self) -> dict[str, Any]:
        """Go on to the end, and return what the table says that no clock has a part in."""
        driver = self.start()
        _, said = driver.communicate(timeout=600)
        assert driver.returncode == 0, said.decode()
        return self.table()

    def table(self) -> dict[str, Any]:
        table: dict[str, Any] = json.loads((self.trials / "table.json").read_text())
        for arm in table["arms"]:
            del arm["speedup_seconds"]
        for trial in table["trials"]:
            del trial["seconds"]
        return table

    def alive(self) -> dict[int, str]:
        """Return the race's processes that live, with their command lines."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                variables = (process / "environ").read_bytes().split(b"\0")
                if f"{MARK}={self.mark}".encode() in variables:
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue  # it has ended, or is another user's
        return found

    def wait_for_a_trial(self, driver: subprocess.Popen[bytes]) -> None:
        """Wait until a process of a trial runs, or the driver has ended."""
        deadline = time.monotonic() + 60
        while driver.poll() is None and len(self.alive()) < 2:
            assert time.monotonic() < deadline, "no trial has begun"
            time.sleep(0.01)

    def left(self, seconds: float = 5.0) -> dict[int, str]:
        """Return the processes that are left after a time, empty as soon as there is none."""
        deadline = time.monotonic() + seconds
        while (found := self.alive()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a program that was watched, and whose race has not begun."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "train.py").write_text(PROGRAM)
    command = [*UNSTUCK, "run", "--quiet", "--", sys.executable, "train.py"]
    done = subprocess.run(command, cwd=folder, env=environment(OMP_NUM_THREADS="1"), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def copy(begun: Path, folder: Path) -> Race:
    shutil.copytree(begun, folder)
    manifest = only_run(folder) / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "cwd": str(folder)}))
    return Race(folder)


def test_a_driver_that_is_killed_again_and_again_comes_to_the_same_table(begun: Path, tmp_path: Path):
    expected = copy(begun, tmp_path / "whole").finish()
    assert len(expected["trials"]) >= 8  # a busy machine has room for fewer
    seed = secrets.randbits(32)
    moments, kills, races = random.Random(seed), 0, 1
    race = copy(begun, tmp_path / "race1")
    while kills < KILLS:
        driver = race.start()
        if kills % 2:
            race.wait_for_a_trial(driver)
        try:
            driver.wait(moments.uniform(0.0, LATEST))
        except subprocess.TimeoutExpired:
            driver.send_signal(signal.SIGKILL)
            kills += 1
        _, said = driver.communicate()
        where = f"after kill {kills} of seed {seed}: {said.decode()}"
        assert race.left() == {}, where
        assert driver.returncode in (0, -signal.SIGKILL), where
        if driver.returncode == 0:
            assert race.table() == expected, where
            races += 1
            race = copy(begun, tmp_path / f"race{races}")
    assert race.finish() == expected, f"seed {seed}"


def test_ctrl_c_ends_a_race_at_once_and_says_how_to_go_on(begun: Path, tmp_path: Path):
    race = copy(begun, tmp_path / "race")
    driver = race.start()
    race.wait_for_a_trial(driver)
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert race.left() == {}
    assert f"'unstuck fix --resume {race.trials.parent.name}' goes on" in said.decode()
    assert race.table()["state"] == "interrupted"
