"""``unstuck report`` on records of real programs: it tells again what the end of the run told."""

from __future__ import annotations

import json
import sys

import pytest

from tests.cli.runner import UNSTUCK, only_run, plain, watched

#: One linear layer that learns nothing for 60 steps.
PROGRAM = """
import torch
torch.manual_seed(0)
torch.set_num_threads(1)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(32, 4)
y = x @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
for step in range(60):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
print(loss.item())
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "train.py").write_text(PROGRAM)
    without = plain([sys.executable, "train.py"], folder)
    done = watched([sys.executable, "train.py"], folder)
    assert (done.returncode, done.stdout) == (0, without.stdout), done.stderr.decode()
    return folder, done


def test_the_run_leaves_record_and_reports(recorded):
    folder, done = recorded
    run = only_run(folder)
    names = {file.name for file in run.iterdir()}
    assert {"manifest.json", "rank0.jsonl", "report.html", "report.md", "report.json"} <= names
    assert not {name for name in names if "error" in name}
    verdict = json.loads((run / "report.json").read_text())["verdict"]
    assert verdict["state"].upper() in done.stderr.decode()


def test_report_judges_again_and_writes_again(recorded):
    folder, _ = recorded
    run = only_run(folder)
    before = json.loads((run / "report.json").read_text())
    for name in ("report.html", "report.md", "report.json"):
        (run / name).unlink()
    done = plain([*UNSTUCK, "report", "--format", "json"], folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == before == json.loads((run / "report.json").read_text())
    assert plain([*UNSTUCK, "report", run.name, "--format", "md"], folder).stdout == (run / "report.md").read_bytes()
    place = plain([*UNSTUCK, "report", run.name[-4:], "--format", "html"], folder).stdout.decode().strip()
    assert (folder / place).samefile(run / "report.html")
    assert before["verdict"]["state"].upper() in plain([*UNSTUCK, "report", str(run)], folder).stdout.decode()


def test_report_does_not_need_torch(recorded):
    folder, _ = recorded
    code = "import sys; from unstuck.cli import main; main(['report']); print('torch' in sys.modules)"
    assert plain([sys.executable, "-c", code], folder).stdout.decode().splitlines()[-1] == "False"


def test_report_on_a_run_without_training_says_why(tmp_path):
    watched(["true"], tmp_path)
    done = plain([*UNSTUCK, "report", "--format", "json", "--fail-on", "unknown"], tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout)["verdict"]["state"] == "unknown"
    assert done.stderr.startswith(b"unstuck: no training was seen")
