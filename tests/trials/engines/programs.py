"""Small training programs, one file for all the ways in which a trial can end, and trials of them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from unstuck.trials.spec import Spec, Trial

PROGRAM = """
import ctypes, os, signal, subprocess, sys, time

way = sys.argv[1]
if way == "early":
    raise SystemExit("no data here")
if way == "stubborn":
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # by its helpers too, which inherit it
if way in ("hang", "stubborn"):
    ours = subprocess.Popen(["sleep", "600"])
    code = "import time; print(1, flush=True); time.sleep(600)"
    apart = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    apart.stdout.readline()
    descriptor = os.open(os.environ["PIDS"] + f"/{os.getpid()}", os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, f"{ours.pid} {apart.pid}".encode())
    time.sleep(600)
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e30 if way == "nan" else 0.05)
inputs = torch.randn(64, 4)
targets = inputs.sum(1, keepdim=True)
for step in range(30):
    optimizer.zero_grad()
    loss = (model(inputs) - targets).square().mean()
    loss.backward()
    optimizer.step()
    if way == "strict" and loss.item() > 1000:
        raise FloatingPointError(f"the loss is {loss.item():.3g}")
    if step % 10 == 9:
        print(f"after {step + 1} steps: val loss {loss.item():.4f}")
    if step == 4:
        if way == "crash":
            raise ValueError("shapes do not fit")
        if way == "memory":
            raise MemoryError("Unable to allocate 3 TiB")
        if way == "allocate":
            torch.empty(1 << 50)
        if way == "segfault":
            ctypes.string_at(0)
        if way == "abort":
            os.abort()
        if way == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "leave":
            break
print("the end", os.environ.get("OMP_NUM_THREADS"))
"""


def program(folder: Path) -> Path:
    """Write the program."""
    file = folder / "train.py"
    file.write_text(PROGRAM)
    return file


def trial(folder: Path, way: str = "train", name: str = "trial", **spec: Any) -> Trial:
    """Return a trial of the program."""
    command = (sys.executable, str(program(folder)), way)
    return Trial(folder / "trials" / name, Spec(**{"arm": "baseline", "seed": 1, **spec}), command)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the program notes its process, and those of its helpers, when it hangs."""
    (folder / "pids").mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UNSTUCK_")}
    return {**clean, "PIDS": str(folder / "pids")}


def hanging(folder: Path, count: int = 1) -> list[int]:
    """Return the processes of programs that hang, once there are so many programs.

    Each has two helpers: one of another kind, and a Python in a session of its own, such as ``torchrun`` starts.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        files = [file for file in (folder / "pids").iterdir() if file.read_text()]
        if len(files) >= count:
            return [int(number) for file in files for number in (file.name, *file.read_text().split())]
        time.sleep(0.02)
    raise AssertionError("the programs did not start")


def gone(pids: list[int], seconds: float = 30.0) -> bool:
    """Whether all of some processes end within a time."""
    deadline = time.monotonic() + seconds
    while any(map(_lives, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


#: Two phases with an optimizer each, both by the name of the first one's: a function's own is gone when it returns.
PHASES = """
import torch

torch.manual_seed(0)
inputs = torch.randn(64, 4)


def train(model, targets, rate, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for step in range(steps):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
    return model


teacher = train(torch.nn.Linear(4, 1), inputs.sum(1, keepdim=True), 0.05, 10)
print("teacher", teacher.weight.sum().item())
student = train(torch.nn.Linear(4, 1), teacher(inputs).detach(), 0.01, 30)
train(student, teacher(inputs).detach(), 0.01, 5)
"""


def phases(folder: Path, name: str = "trial", **spec: Any) -> Trial:
    """Return a trial of a program of three phases, the second of which has most steps."""
    file = folder / "phases.py"
    file.write_text(PHASES)
    return Trial(folder / "trials" / name, Spec(**{"arm": "baseline", **spec}), (sys.executable, str(file)))
