"""``unstuck.fix``: the proof of a command for a function, in a script without a guard and in this very test."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import unstuck
from tests.cli.runner import UNSTUCK, environment, only_run
from tests.fixing import programs
from unstuck.fixing import function as function_module

SCRIPT = """
import torch
import unstuck
from torch import nn

print("begins", __name__)
LAYERS = (8, 32, 3)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(*LAYERS[:2])
        self.out = nn.Linear(*LAYERS[1:])

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))

def train():
    torch.manual_seed(0)
    x = torch.randn(640, 8)
    y = (x @ torch.randn(8, 3)).argmax(1)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.002)
    for step in range(120):
        rows = torch.randint(640, (64,))
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(model, "model.pt")
    with open("log.txt", "a") as log:
        print("loss", loss.item(), file=log)
    print("trained")

result = unstuck.fix(train, seeds=2, slots=2)
print(result)
print([(arm.label, arm.edits[0].diff) for arm in result.proven])
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNSTUCK_RUN_DIR", raising=False)


def start(folder, *command) -> subprocess.CompletedProcess[str]:
    env = environment(OMP_NUM_THREADS="1")
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "train.py").write_text(SCRIPT)
    return folder, start(folder, sys.executable, "train.py")


@pytest.mark.slow
def test_a_script_without_a_guard_is_fixed_at_its_own_line(script):
    folder, done = script
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("begins __main__\ntrained\n")
    assert done.stdout.count("begins") == 1  # trials run the function, not the script
    said = done.stdout
    assert "step-too-small" in said
    assert "\nPROVEN" in said
    assert "train.py:23" in said
    assert "+    optimizer = " in said
    assert (folder / "log.txt").read_text().count("loss") == 1  # the watched run's; the trials have their own
    assert {file.name for file in folder.iterdir()} == {"log.txt", "model.pt", "train.py", "unstuck-runs"}


@pytest.mark.slow
def test_the_command_line_goes_on_with_it(script):
    folder, _ = script
    run = only_run(folder)
    trials = sorted((run / "trials").glob("baseline-s[23]-*"))
    assert len(trials) == 2
    shutil.rmtree(trials[1])
    done = start(folder, *UNSTUCK, "fix", "--resume", "latest")
    assert done.returncode == 0, done.stderr
    assert "\nPROVEN" in done.stderr
    assert (trials[1] / "result.json").is_file()
    assert "begins" not in (trials[1] / "output.txt").read_text()


@pytest.mark.slow
def test_in_a_test_this_process_stays_as_it_is(capsys):
    model = programs.Net()
    before = [p.clone() for p in model.parameters()]
    state, init = torch.get_rng_state(), nn.Module.__init__
    result = unstuck.fix(functools.partial(programs.train, model, steps=40), seeds=2, slots=2, quiet=True)
    assert capsys.readouterr() == ("", "")
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    assert nn.Module.__init__ is init
    assert result.trials.state == "finished"
    assert result.run.steps == 40
    assert len(result.arms) > 3
    assert result.run.optimizers[0].file.endswith("programs.py")
    assert result.notes == (
        "train uses a Net that was made outside of it: every run starts from the same copy of it, as it is now; "
        "make it inside train to prove what helps from other first weights too",
    )
    assert result.path.parent.name == "unstuck-runs"
    assert "-train-" in result.path.name


@pytest.mark.parametrize(
    ("function", "kind", "said"),
    [
        (
            programs.failing,
            unstuck.UnstuckError,
            "no trials: failing failed with ValueError: no good; its output is in ",
        ),
        (programs.untouched, unstuck.UsageError, "no trials of untouched: no training was seen: an optimizer was made"),
    ],
)
def test_what_cannot_be_raced_is_one_sentence(function, kind, said, capsys):
    with pytest.raises(kind) as error:
        unstuck.fix(function)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    first = "about to fail\n" if function is programs.failing else "nothing is trained\n"
    assert capsys.readouterr().out.startswith(first)
    (place,) = (path for path in Path("unstuck-runs").iterdir() if path.is_dir())
    assert not (place / "trials").exists()


def test_wrong_arguments_leave_nothing_behind(tmp_path):
    lock = threading.Lock()
    for function, options in (
        (None, {}),
        (lambda: lock, {}),
        (programs.train, {"seeds": 1}),
        (programs.train, {"engine": "slurm"}),
        (programs.train, {"slots": 0}),
    ):
        with pytest.raises(unstuck.UsageError):
            unstuck.fix(function, **options)
    assert list(tmp_path.iterdir()) == []


def test_not_in_a_program_that_is_run_by_unstuck(monkeypatch, tmp_path):
    monkeypatch.setenv("UNSTUCK_RUN_DIR", str(tmp_path))
    with pytest.raises(unstuck.UsageError, match="in a program that unstuck runs already"):
        unstuck.fix(programs.train)


def test_ctrl_c_says_how_it_goes_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(function_module, "_watch", lambda function, config: (tmp_path / "20261120-train-ab12", ()))
    monkeypatch.setattr(function_module, "race", lambda *_: SimpleNamespace(state="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        unstuck.fix(programs.train, quiet=True)
    assert "'unstuck fix --resume 20261120-train-ab12' goes on" in capsys.readouterr().err
