"""Real trainings, however they are started: same output and exit code, and a record of each process that trains."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import only_run, plain, watched

TRAIN = """
import sys
import torch
from torch.utils.data import DataLoader, TensorDataset

def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    data = TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
    context = sys.argv[2] if len(sys.argv) > 2 else None
    loader = DataLoader(data, 8, shuffle=True, num_workers=2 if context else 0, multiprocessing_context=context)
    for x, y in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        print(loss.item())
    sys.exit(int(sys.argv[1]))

if __name__ == "__main__":
    main()
"""

RANKS = """
import os
import torch
import torch.distributed as dist
torch.set_num_threads(1)
dist.init_process_group("gloo")
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(3):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
if dist.get_rank() == 0:
    print(sum(p.sum().item() for p in model.parameters()))
dist.destroy_process_group()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "ranks.py").write_text(RANKS)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__main__.py").write_text(TRAIN)
    return tmp_path


def same(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    without, done = plain(command, folder), watched(command, folder)
    assert (done.returncode, done.stdout) == (without.returncode, without.stdout), done.stderr.decode()
    return done


def steps(run: Path) -> dict[str, int]:
    """Optimizer steps in the record of every process that took some."""
    found = {}
    for file in run.glob("rank*.jsonl"):
        records = [json.loads(line) for line in file.read_text().splitlines()]
        columns = [step for record in records if record["kind"] == "pulse" for step in record["step"]]
        if columns:
            found[file.stem] = max(columns) + 1
    return found


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "train.py", "0"],
        [sys.executable, "train.py", "3"],
        [sys.executable, "-m", "package", "3"],
        [sys.executable, "train.py", "3", "fork"],
        [sys.executable, "train.py", "3", "spawn"],
        ["sh", "-c", f"cd / && {sys.executable} $OLDPWD/train.py 4"],
    ],
    ids=["file", "exit code", "package", "forked workers", "spawned workers", "shell"],
)
def test_a_training_is_recorded(folder, command):
    same(command, folder)
    run = only_run(folder)
    assert steps(run) == {"rank0": 4}
    assert not list(run.glob("attach-error-*"))


@pytest.mark.slow
def test_every_rank_is_recorded(folder):
    same([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "ranks.py"], folder)
    run = only_run(folder)
    assert steps(run) == {"rank0": 3, "rank1": 3}
    assert not list(run.glob("attach-error-*"))
