"""``unstuck fix`` on real programs: what it proves, what it leaves alone, and how it goes on after its end."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.runner import UNSTUCK, environment, finish, only_run, start
from unstuck.cli import main

PROGRAM = """
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(640, 8)
y = (x @ torch.randn(8, 3)).argmax(1)
model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.002)
for step in range(120):
    rows = torch.randint(640, (64,))
    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with open("log.txt", "a") as log:
    print("loss", loss.item(), file=log)
torch.save(model.state_dict(), "model.pt")
"""


def digest(folder: Path) -> dict[str, str]:
    """Return the bytes of the user's files, as a hash each."""
    files = [f for f in folder.rglob("*") if f.is_file() and "unstuck-runs" not in f.parts]
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def fix(folder: Path, *words: str, timeout: float = 240) -> subprocess.CompletedProcess[bytes]:
    process = start([*UNSTUCK, "fix", *words], folder, environment(OMP_NUM_THREADS="1"))
    out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    (folder / "train.py").write_text(PROGRAM)
    finish(start([sys.executable, "train.py"], folder))
    before = digest(folder)
    return folder, before, fix(folder, "--seeds", "2", "--slots", "2", "--", sys.executable, "train.py")


@pytest.mark.slow
def test_a_larger_step_is_proven_with_its_line(fixed):
    folder, _, done = fixed
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert "step-too-small" in said
    assert "\nPROVEN" in said
    assert "train.py:9 (it is 0.002)" in said
    report = json.loads((only_run(folder) / "report.json").read_text())
    best = report["trials"][0]
    assert best["proven"]
    assert best["speedup_steps"]["low"] > 1.1
    assert report["findings"][0]["cost"]["measured_by"] == "trial"
    assert "What was proven" in (only_run(folder) / "report.html").read_text()


@pytest.mark.slow
def test_the_trials_have_left_the_users_files_alone(fixed):
    folder, before, _ = fixed
    after = digest(folder)
    # The watched run is the user's own: it appends its line and saves its model as ever, the same bytes.
    assert set(after) == set(before)
    assert after["model.pt"] == before["model.pt"]
    assert after["train.py"] == before["train.py"]
    assert (folder / "log.txt").read_text().count("loss") == 2


@pytest.mark.slow
def test_a_race_that_is_over_is_shown_again_at_once(fixed):
    folder, _, done = fixed
    table = (only_run(folder) / "trials" / "table.json").read_bytes()
    began = time.monotonic()
    again = fix(folder, "--resume", "latest")
    assert time.monotonic() - began < 20
    assert again.returncode == 0
    assert again.stderr.decode().partition("\nPROVEN")[2] == done.stderr.decode().partition("\nPROVEN")[2]
    assert (only_run(folder) / "trials" / "table.json").read_bytes() == table


@pytest.mark.slow
def test_a_race_by_what_the_program_prints_is_told_as_such(tmp_path):
    evaluation = """
    if step % 10 == 9:
        right = (model(x).argmax(1) == y).float().mean()
        print(f"step {step + 1} val accuracy {right:.2%}")
with open("log.txt", "a") as log:"""
    (tmp_path / "train.py").write_text(PROGRAM.replace('\nwith open("log.txt", "a") as log:', evaluation))
    options = ("--metric", "validation accuracy", "--target", "70%", "--seeds", "2", "--slots", "2")
    done = fix(tmp_path, *options, "--", sys.executable, "train.py")
    said = " ".join(done.stderr.decode().split())
    assert done.returncode == 0, said
    assert "raced by val accuracy" in said
    report = json.loads((only_run(tmp_path) / "report.json").read_text())
    best = report["trials"][0]
    assert best["measure"] == "val accuracy"
    assert best["proven"], report["trials"]
    assert f"val accuracy {best['target']:.4g}" in said
    again = fix(tmp_path, "--resume", "latest", "--metric", "val accuracy")
    assert b"--metric cannot be changed once trials have begun" in again.stderr


def test_a_metric_that_the_program_does_not_print_is_told_before_any_trial(tmp_path):
    (tmp_path / "train.py").write_text(
        PROGRAM.replace("    optimizer.step()", "    optimizer.step(); print('acc:', 0.5)")
    )
    done = fix(tmp_path, "--metric", "val accuracy", "--", sys.executable, "train.py")
    assert done.returncode == 2
    assert b"did not print 'val accuracy' in a line that 'unstuck fix' has noted; it printed 'acc'" in done.stderr
    assert done.stdout.count(b"acc: 0.5") == 120
    assert not (only_run(tmp_path) / "trials").exists()


def test_a_program_that_fails_gets_no_trials(tmp_path):
    (tmp_path / "train.py").write_text("raise SystemExit(4)")
    done = fix(tmp_path, "--", sys.executable, "train.py")
    assert done.returncode == 4
    assert b"no trials: the program ended with exit code 4" in done.stderr
    assert not (only_run(tmp_path) / "trials").exists()


def test_a_program_without_training_gets_no_trials(tmp_path):
    (tmp_path / "train.py").write_text("print('hello')")
    done = fix(tmp_path, "--", sys.executable, "train.py")
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    assert not (only_run(tmp_path) / "trials").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no command to fix"),
        (["--resume", "latest", "--", "python", "x.py"], "either a run is resumed or a command is run"),
        (["--engine", "slurm", "--", "python", "x.py"], "--engine is one of local, ray; got 'slurm'"),
        (["--trials-budget", "0", "--", "python", "x.py"], "--trials-budget is a number above 0, such as 3; got 0"),
        (["--seeds", "1", "--", "python", "x.py"], "one pair has no interval; got 1"),
        (["--slots", "0", "--", "python", "x.py"], "1 or more; got 0"),
        (["--resume", "latest"], "there are no runs"),
        (["--target", "0.9", "--", "python", "x.py"], "--target is a level of a metric, which has to be named too"),
        (["--metric", "temperature", "--", "python", "x.py"], 'write --metric "temperature:higher" or'),
        (["--metric", "acc", "--target", "high", "--", "python", "x.py"], "--target is a number, such as 0.96"),
    ],
)
def test_wrong_usage_is_one_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fix", *words]) == 2
    text = capsys.readouterr().err
    assert said in text
    assert text.count("\n") == 1
    assert not (tmp_path / "unstuck-runs").exists()
