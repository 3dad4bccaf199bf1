"""Many initialisations at once against one after the other, in PyTorch: time per network, in paired rounds.

    python -m benchmarks.restarts [--rounds 9] [--only xor]

Sixty-four networks of a kind are trained by ``unstuck.restarts`` with the group that its own measurement chose, and
by a plain loop, one network after the other, as anybody would write it. A round takes some steps of each, one right
after the other, so that a machine that gets faster or slower favours none; the ratio is that of a round, and the
median of all rounds is what counts. One thread. Processor time is counted, so that other work on the machine is not;
the wall time stands beside it. Making the networks is left out on both sides.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unstuck.restarting.pilot import Way, choose
from unstuck.restarting.trainers import Loss, Task, Together

COUNT = 64


@dataclass(frozen=True)
class Case:
    """One network and its task.

    Attributes:
        build: Makes a network.
        data: Inputs and targets.
        loss: The loss.
        batch_size: Examples in a batch; None for all.
        least: The factor that must be reached.
        steps: Steps of each network in a round, of the batched way.
    """

    build: Callable[[], nn.Module]
    data: tuple[Tensor, Tensor]
    loss: Loss
    batch_size: int | None
    least: float
    steps: int = 40


class Spirals(nn.Module):
    """2-5-5-5-1 with shortcuts, the network of Lang and Witbrock: 138 weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2 + 5 * i, 5 if i < 3 else 1) for i in range(4))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.cat([x, layer(x).tanh()], -1)
        return self.layers[-1](x)


def chain(*sizes: int, last: nn.Module | None = None) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), nn.Sigmoid()]
        return nn.Sequential(*layers[:-1], *([last] if last else []))

    return build


def cases() -> dict[str, Case]:
    generator = torch.Generator().manual_seed(0)
    square = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
    spiral = torch.randn(194, 2, generator=generator), (torch.arange(194) % 2).float().unsqueeze(1)
    images = torch.rand(10_000, 784, generator=generator), torch.randint(0, 10, (10_000,), generator=generator)
    large = torch.rand(2000, 256, generator=generator), torch.randint(0, 10, (2000,), generator=generator)
    sigmoid = nn.Sigmoid()
    return {
        "xor 2-2-1": Case(chain(2, 2, 1, last=sigmoid), square, F.mse_loss, None, 8),
        "xor 2-3-1": Case(chain(2, 3, 1, last=sigmoid), square, F.mse_loss, None, 8),
        "encoder 10-5-10": Case(chain(10, 5, 10, last=sigmoid), (torch.eye(10), torch.eye(10)), F.mse_loss, None, 8),
        "spirals 2-5-5-5-1, plain": Case(chain(2, 5, 5, 5, 1), spiral, F.binary_cross_entropy_with_logits, None, 8),
        "spirals 2-5-5-5-1, shortcuts": Case(Spirals, spiral, F.binary_cross_entropy_with_logits, None, 8),
        "784-30-10, batch 10": Case(chain(784, 30, 10), images, F.cross_entropy, 10, 3, 20),
        "256-512-10, batch 500": Case(chain(256, 512, 10), large, F.cross_entropy, 500, 1, 2),
    }


def alone(case: Case) -> Callable[[int], None]:
    """Return a plain training loop of one network, which goes on from where it was."""
    inputs, targets = case.data
    network = case.build()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    left: list[Tensor] = []

    def run(steps: int) -> None:
        x, y = inputs, targets
        for _ in range(steps):
            if case.batch_size:
                if not left:
                    left.extend(torch.randperm(len(inputs)).split(case.batch_size))
                chosen = left.pop()
                x, y = inputs[chosen], targets[chosen]
            optimizer.zero_grad()
            loss = case.loss(network(x), y)
            loss.backward()
            optimizer.step()

    return run


def measure(case: Case, rounds: int) -> dict[str, object]:
    networks = [case.build() for _ in range(COUNT)]
    task = Task(
        networks, *case.data, case.loss, lambda p: torch.optim.SGD(p, lr=0.1), case.steps * 100, case.batch_size, 0
    )
    way: Way = choose(task)
    single = alone(case)
    if way.group == 1:
        return {"group": 1, "why": way.why, "ratio": 1.0, "ratios": [], "wall": 1.0, "least": case.least}
    together = Together(task, 0, way.group)

    def many(steps: int) -> None:
        for _ in range(steps):
            together.step()

    single(5), many(5)
    ratios, walls, micros = [], [], []
    for place in range(rounds):
        times = {}
        for name in ("single", "many") if place % 2 else ("many", "single"):
            cpu, wall = time.process_time(), time.perf_counter()
            steps = case.steps * (4 if name == "single" else 1)
            single(steps) if name == "single" else many(steps)
            share = 1 / steps / (1 if name == "single" else way.group)
            times[name] = (time.process_time() - cpu) * share, (time.perf_counter() - wall) * share
        ratios.append(times["single"][0] / times["many"][0])
        walls.append(times["single"][1] / times["many"][1])
        micros.append([1e6 * times[name][0] for name in ("single", "many")])
    return {
        "group": way.group,
        "ratio": statistics.median(ratios),
        "ratios": [round(r, 2) for r in sorted(ratios)],
        "wall": statistics.median(walls),
        "microseconds": [statistics.median(column) for column in zip(*micros, strict=True)],
        "least": case.least,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="paired rounds (default 9)")
    parser.add_argument("--only", help="cases whose name has this in it")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    print(f"{'network':30}{'at once':>8}{'alone us':>10}{'us':>7}{'faster':>9}  rounds          wall  must be")
    for name, case in cases().items():
        if arguments.only and arguments.only not in name:
            continue
        one = results[name] = measure(case, arguments.rounds)
        if one["group"] == 1:
            print(f"{name:30}{1:8}  one by one: {one['why']}")
            continue
        low, high = one["ratios"][0], one["ratios"][-1]  # type: ignore[index]
        before, now = one["microseconds"]  # type: ignore[misc]
        print(
            f"{name:30}{one['group']:8}{before:10.1f}{now:7.1f}{one['ratio']:8.1f}x  {low:.1f} to {high:.1f}".ljust(82)
            + f"{one['wall']:5.1f}x  {one['least']:g}x",
            flush=True,
        )
    if arguments.out:
        about = {
            "date": datetime.now(timezone.utc).date().isoformat(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "threads": 1,
            "count": COUNT,
            "busy": "shared with other work; processor time, paired rounds",
        }
        arguments.out.write_text(json.dumps({**about, "cases": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
