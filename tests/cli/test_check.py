"""``unstuck check`` on real programs: what it answers, how it ends them, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.runner import UNSTUCK, finish, only_run, plain, start
from unstuck.checks import CHECKS

NAMES = [question.name for question, _ in CHECKS]

PROGRAM = """
import atexit, sys, torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
atexit.register(lambda: open("atexit.txt", "w").close())
print("the program begins")
x = torch.randn(320, 8)
y = (x @ torch.randn(8, 3)).argmax(1)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
try:
    for step in range(100_000):
        rows = torch.randint(320, (32,))
        loss = nn.functional.cross_entropy({loss}, y[rows])
        {zero}
        loss.backward()
        optimizer.step()
        {after}
finally:
    torch.save(model.state_dict(), "checkpoint.pt")
"""


def write(folder: Path, loss: str = "model(x[rows])", zero: str = "optimizer.zero_grad()", after: str = "") -> None:
    text = PROGRAM.replace("{loss}", loss).replace("{zero}", zero or "pass").replace("{after}", after or "pass")
    (folder / "train.py").write_text(text)


def check(folder: Path, *flags: str, command: tuple[str, ...] = (sys.executable, "train.py")):
    return finish(start([*UNSTUCK, "check", *flags, "--", *command], folder))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    write(folder)
    return folder, check(folder, "--json", "--junit", "check.xml")


def test_a_sound_program_passes_everything(sound):
    folder, done = sound
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert (said["schema"], said["passed"], said["run"]["ending"], said["run"]["steps"]) == (1, True, "check", 9)
    assert {c["name"]: c["status"] for c in said["checks"]} == dict.fromkeys(NAMES, "pass")
    assert said == json.loads((only_run(folder) / "check.json").read_text())
    assert not list(only_run(folder).glob("*error*"))


def test_nothing_of_the_program_runs_after_the_last_probe(sound):
    folder, done = sound
    assert not (folder / "checkpoint.pt").exists()
    assert not (folder / "atexit.txt").exists()
    assert b"the program begins" in done.stderr


def test_junit_has_a_case_for_every_check(sound):
    folder, _ = sound
    (suite,) = ElementTree.parse(folder / "check.xml").getroot()
    assert [case.get("name") for case in suite] == NAMES
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(NAMES)), "0", "0")


def test_faults_fail_their_checks_at_their_lines(tmp_path):
    write(tmp_path, loss="model(x[rows]).softmax(0)", zero="")
    done = check(tmp_path, "--junit", "check.xml")
    assert done.returncode == 3, done.stderr.decode()
    text = done.stdout.decode()
    failed = {line.split()[1] for line in text.splitlines() if line.startswith("✗")}
    assert failed >= {"gradient", "leak"}
    assert "train.py:" in text
    assert "next: correct that, then unstuck check --" in " ".join(text.split())
    (suite,) = ElementTree.parse(tmp_path / "check.xml").getroot()
    assert {case.get("name") for case in suite if case.find("failure") is not None} == failed


def test_quiet_shows_failures_and_the_count_only(tmp_path):
    write(tmp_path, zero="")
    done = check(tmp_path, "--quiet")
    marks = [line[0] for line in done.stdout.decode().splitlines() if line[0] in "✓✗–"]
    assert (done.returncode, marks) == (3, ["✗"])
    assert "1 failed, 9 passed" in done.stdout.decode()


def test_a_program_that_ends_early_is_judged_by_what_was_seen(tmp_path):
    write(tmp_path, after="if step == 2: sys.exit()")
    done = check(tmp_path, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["run"]["ending"], said["run"]["steps"]) == (0, "exit", 3)
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_program_that_crashes_says_so_and_gives_its_code(tmp_path):
    write(tmp_path, after="if step == 2: raise ValueError('no more data')")
    done = check(tmp_path)
    assert done.returncode == 1
    assert "failed after 3 steps, with exit code 1: ValueError: no more data" in " ".join(done.stdout.decode().split())
    (tmp_path / "train.py").write_text("raise SystemExit(7)")
    done = check(tmp_path, "--json", "--junit", "check.xml")
    assert (done.returncode, json.loads(done.stdout)["passed"]) == (7, False)
    (suite,) = ElementTree.parse(tmp_path / "check.xml").getroot()
    assert suite.get("errors") == "1"


def test_a_program_that_trains_nothing_is_nothing_to_check(tmp_path):
    (tmp_path / "train.py").write_text("import torch")
    done = check(tmp_path)
    assert done.returncode == 4
    assert "no optimizer of torch.optim was used" in " ".join(done.stdout.decode().split())


@pytest.mark.parametrize("through", ["python", "sh"])
def test_a_program_without_a_step_is_ended_in_time_with_all_that_it_started(tmp_path, through):
    lines = "import os, signal, time, torch", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    tail = "open('pid', 'w').write(str(os.getpid()))", "time.sleep(60)"
    (tmp_path / "train.py").write_text("\n".join((*lines, *tail)))
    command = (sys.executable, "train.py") if through == "python" else ("sh", "-c", f"{sys.executable} train.py; true")
    before = time.monotonic()
    # A shell that hears the signal while its child does not would leave that running.
    done = check(tmp_path, "--timeout", "6", command=command)
    assert time.monotonic() - before < 25
    assert done.returncode == 4
    assert "No optimizer step was seen within 6 s" in " ".join(done.stdout.decode().split())
    deadline = time.monotonic() + 5
    while _is_there(int((tmp_path / "pid").read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_there(int((tmp_path / "pid").read_text()))


def _is_there(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_both_optimizers_of_a_gan_are_probed(tmp_path):
    program = Path(__file__).parents[1] / "programs" / "ring_gan.py"
    done = check(tmp_path, "--json", command=(sys.executable, str(program)))
    said = json.loads(done.stdout)
    assert (done.returncode, said["run"]["steps"], said["run"]["probes"]) == (0, 18, 18)


def test_workers_of_a_loader_do_not_outlive_the_check(tmp_path):
    program = Path(__file__).parents[1] / "programs" / "loader_workers.py"
    before = time.monotonic()
    done = check(tmp_path, "--json", command=(sys.executable, str(program)))
    assert done.returncode == 0, done.stdout.decode()
    # The pipe is read to its end only when every process that holds it has gone.
    assert time.monotonic() - before < json.loads(done.stdout)["run"]["seconds"] + 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], "no command to check"),
        (["check", "--timeout", "0", "--", "true"], "--timeout is a number of seconds above 0"),
        (["check", "--", "no-such-command"], "command not found"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(tmp_path, words, said):
    done = plain([*UNSTUCK, *words], tmp_path)
    assert done.returncode in (2, 127)
    assert said in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []
