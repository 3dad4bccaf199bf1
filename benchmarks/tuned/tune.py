"""Tune every task: optimizer, schedule and learning rate, by the mean loss of the last tenth of the run.

    python -m benchmarks.tuned.tune [--only REGEX]

For each optimizer, without and with a schedule, the learning rate is followed up and down in half decades from a usual
one, then in quarters around the best. The seeds are not those of the trials. The best settings are written
to ``settings.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from statistics import fmean

import torch

from benchmarks.tuned.program import SETTINGS, Settings, train
from benchmarks.tuned.tasks import TASKS, Task

SEEDS = (101, 102)
#: Usual learning rates.
_USUAL = {"momentum": 0.03, "Adam": 0.003, "Rprop": 0.01}
_COARSE, _FINE = 10**0.5, 10**0.25


def tune(task: Task) -> tuple[Settings, float]:
    """Return the best settings of a task, and the loss that they reach.

    Args:
        task: The task.
    """
    optimizers = [name for name in _USUAL if name != "Rprop" or task.batch is None]
    found: list[tuple[Settings, float]] = []
    for optimizer in optimizers:
        rate = _USUAL[optimizer]
        for cosine in (False, True):
            level = _levels(task, optimizer, cosine)
            rate = _climb(level, rate, _COARSE)
            found.append((Settings(optimizer, rate, cosine), level(rate)))
    ranked = sorted(found, key=lambda pair: pair[1])[:2]
    refined = []
    for settings, _ in ranked:
        level = _levels(task, settings.optimizer, settings.cosine)
        rate = _climb(level, settings.lr, _FINE)
        refined.append((Settings(settings.optimizer, float(f"{rate:.3g}"), settings.cosine), level(rate)))
    return min(refined, key=lambda pair: pair[1])


def _levels(task: Task, optimizer: str, cosine: bool) -> Callable[[float], float]:
    """Return the level that a learning rate reaches; infinity where a seed is lost."""

    @cache
    def level(rate: float) -> float:
        runs = [train(task, Settings(optimizer, rate, cosine), seed) for seed in SEEDS]
        reached = fmean(_end(losses) for losses in runs)
        return reached if math.isfinite(reached) else math.inf

    return level


def _end(losses: Sequence[float]) -> float:
    tail = losses[-max(1, len(losses) // 10) :]
    return fmean(tail) if all(map(math.isfinite, tail)) else math.inf


def _climb(level: Callable[[float], float], rate: float, factor: float) -> float:
    """Return the learning rate from which neither a larger nor a smaller one is better."""
    for way in (factor, 1 / factor):
        for _ in count():
            further = float(f"{rate * way:.6g}")
            if not level(further) < level(rate):
                break
            rate = further
    return rate


def main() -> None:
    """Tune the chosen tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression on the task")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = {name: make for name, make in TASKS.items() if re.search(options.only, name)}
    for name, make in chosen.items():
        settings, reached = tune(make())
        known = json.loads(SETTINGS.read_text(encoding="utf-8")) if SETTINGS.is_file() else {}
        known[name] = settings.to_json()
        ordered = {task: known[task] for task in TASKS if task in known}
        SETTINGS.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")
        print(name, settings, f"{reached:.4g}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
