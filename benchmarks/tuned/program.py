"""A tuned program: ``python benchmarks/tuned/program.py TASK --seed N`` trains one task with its tuned settings."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.tuned.tasks import TASKS, Task

SETTINGS = Path(__file__).with_name("settings.json")


@dataclass(frozen=True)
class Settings:
    """How a task is trained.

    Attributes:
        optimizer: ``momentum``, ``Adam`` or ``Rprop``.
        lr: Learning rate, at its height.
        cosine: Whether it rises over a twentieth of the steps and falls as a cosine.
    """

    optimizer: str
    lr: float
    cosine: bool

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)


def train(task: Task, settings: Settings, seed: int, loud: bool = False) -> list[float]:
    """Train a task.

    Args:
        task: The task.
        settings: How.
        seed: Decides first weights and order.
        loud: Whether the mean loss of an epoch is printed now and then.

    Returns:
        The loss of every step.
    """
    torch.manual_seed(seed)
    model = task.build()
    optimizer = _optimizer(settings, model)
    rows = len(task.data[0])
    batch = task.batch or rows
    steps = task.epochs * -(-rows // batch)
    schedule = _schedule(optimizer, steps) if settings.cosine else None
    losses: list[float] = []
    for epoch in range(task.epochs):
        order = torch.randperm(rows) if task.batch else torch.arange(rows)
        before = len(losses)
        for chosen in order.split(batch):
            optimizer.zero_grad()
            loss = task.loss(model, [part[chosen] for part in task.data])
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            losses.append(loss.item())
        if loud and (epoch + 1) % max(1, task.epochs // 10) == 0:
            print(f"epoch {epoch + 1}: loss {sum(losses[before:]) / (len(losses) - before):.4f}")
    return losses


def _optimizer(settings: Settings, model: torch.nn.Module) -> torch.optim.Optimizer:
    if settings.optimizer == "momentum":
        return torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=0.9)
    kind: Any = getattr(torch.optim, settings.optimizer)
    made: torch.optim.Optimizer = kind(model.parameters(), lr=settings.lr)
    return made


def _schedule(optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    rise = max(1, steps // 20)
    parts = [LinearLR(optimizer, 0.05, total_iters=rise), CosineAnnealingLR(optimizer, steps - rise)]
    return SequentialLR(optimizer, parts, [rise])


def main() -> None:
    """Train the task that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = Settings(**json.loads(SETTINGS.read_text(encoding="utf-8"))[options.task])
    losses = train(TASKS[options.task](), settings, options.seed, loud=True)
    print(f"final loss {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
