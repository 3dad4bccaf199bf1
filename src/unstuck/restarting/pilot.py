"""Decides by a short measurement how many networks are trained at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from unstuck.restarting.trainers import Alone, Task, Together, Trainer

#: The first group; each further one that is tried is four times as large.
_SMALLEST, _GROWTH = 8, 4
#: A group must be faster by this factor to be taken; less is noise.
_GAIN = 1.05
_ROUNDS, _MOST_STEPS = 3, 5


@dataclass(frozen=True)
class Way:
    """How the networks are trained.

    Attributes:
        group: How many at once; 1 for one by one.
        factor: How many times faster a network's step is than alone, as measured; 1 where nothing was.
        why: Why they are trained one by one; empty where they are not.
    """

    group: int
    factor: float = 1.0
    why: str = ""


def choose(task: Task) -> Way:
    """Time a few steps of copies, alone and in growing groups, until a larger group is no faster.

    Small steps are bound by what each call costs, which a group shares; large ones by arithmetic or memory, which it
    does not. The measured steps are few: at most a hundredth of the training, or four.

    Args:
        task: What is to be trained.
    """
    count = len(task.networks)
    if count == 1:
        return Way(1, why="there is only one")
    steps = min(max(task.steps // 300, 1), _MOST_STEPS)
    sizes = [min(_SMALLEST * _GROWTH**i, count) for i in range(math.ceil(math.log(max(count, 8) / 8, 4)) + 1)]
    alone = Alone(task, 0)
    best, seconds = 1, math.inf
    first = math.inf
    for size in dict.fromkeys(sizes):
        try:
            together = Together(task, 0, size)
            together.step()
        except Exception as error:
            return Way(1, why=f"they cannot be stacked ({_first_line(error)})")
        alone.step()
        timed = [(_time(alone, steps, task), _time(together, steps, task) / size) for _ in range(_ROUNDS)]
        first = min(first, *(one for one, _ in timed))
        now = min(each for _, each in timed)
        if now * _GAIN > min(seconds, first):
            break
        best, seconds = size, now
    return (
        Way(best, first / seconds) if best > 1 else Way(1, why="a step of several takes as long as their steps alone")
    )


def _time(trainer: Trainer, steps: int, task: Task) -> float:
    clock = _clock(task.inputs.device)
    began = clock()
    for _ in range(steps):
        trainer.step()
    return clock() - began


def _clock(device: torch.device) -> Callable[[], float]:
    """Return a clock: of the processor where one thread computes, so that other work on the machine does not count."""
    if device.type == "cpu":
        return time.process_time if torch.get_num_threads() == 1 else time.perf_counter

    def synchronised() -> float:
        (torch.cuda if device.type == "cuda" else torch.mps).synchronize()
        return time.perf_counter()

    return synchronised


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]
