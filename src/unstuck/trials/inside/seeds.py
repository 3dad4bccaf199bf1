"""The random numbers of a trial: those of the program, with every number that it seeds with shifted by the trial's.

Trials with the same number share all their random numbers, whatever their remedies. What the program leaves to chance,
by not seeding at all, is seeded with a number that depends on the trial's alone, for otherwise its arms could not be
paired. A number of 0 shifts nothing: a program that seeds itself then runs as ever.

Not shifted: generators of classes that the program derives from numpy's, ``torch.seed()``, the hashes of strings (which
``PYTHONHASHSEED`` sets before Python starts), and random numbers of other libraries.
"""

from __future__ import annotations

import functools
import os
import random
import threading
from collections.abc import Callable
from typing import Any

from unstuck.trials.inside import seeds_numpy
from unstuck.trials.inside.imports import when_imported

#: Between the seeds of two trials, so that programs that use 0, 1, 2 ... for themselves do not meet those of another.
STRIDE = 1_000_003
#: Where programs start that seed nothing.
_START = 20_240_229
#: Between the ranks of a distributed run where they seed nothing.
_RANKS = 15_485_863


def shift(seed: int) -> None:
    """Seed and shift ``random`` now and numpy once it is imported, before the program's first line.

    Args:
        seed: Number of the trial's seed.
    """
    start = _start(seed)
    random.seed(start)
    _seed_forks(start)
    if seed:
        original = random.Random.seed

        @functools.wraps(original)
        def seeded(generator: random.Random, a: Any = None, version: int = 2) -> None:
            original(generator, _moved(a, seed), version)

        random.Random.seed = seeded  # type: ignore[assignment]
        random.seed = random._inst.seed
    when_imported("numpy.random", lambda module: seeds_numpy.shift(module, start, seed * STRIDE))


def shift_torch(seed: int) -> None:
    """Seed and shift torch, right after its import.

    Args:
        seed: Number of the trial's seed.
    """
    import torch

    torch.manual_seed(_start(seed))
    if not seed:
        return
    move = seed * STRIDE
    inner = _Inner()
    _replace(torch.random, "manual_seed", move, inner)
    torch.manual_seed = torch.random.manual_seed
    for name in ("manual_seed", "manual_seed_all"):
        for device in (torch.cuda, torch.xpu, torch.mps):
            if hasattr(device, name):
                _replace(device, name, move, inner)
                if hasattr(getattr(device, "random", None), name):
                    setattr(device.random, name, getattr(device, name))
    torch.Generator = _generators(torch.Generator, move)  # type: ignore[misc]


def _start(seed: int) -> int:
    """Return where a program starts that seeds nothing; ranks of a distributed run differ, as without seeds."""
    rank = os.environ.get("RANK", "")
    return _START + seed * STRIDE + (int(rank) * _RANKS if rank.isdigit() else 0)


def _moved(seed: Any, number: int) -> Any:
    """Return what ``random.seed`` was given, moved; None asks the system for a number, and goes on doing so."""
    if isinstance(seed, str):
        return f"{seed}#{number}"
    if isinstance(seed, (bytes, bytearray)):
        return bytes(seed) + b"#%d" % number
    return seed + number * STRIDE if isinstance(seed, (int, float)) else seed


def _seed_forks(start: int) -> None:
    """Seed the forks of this process too: Python gives each of them random numbers of its own."""
    if not hasattr(os, "register_at_fork"):
        return
    forks = [0]
    seed = random.Random.seed

    def count() -> None:
        forks[0] += 1

    os.register_at_fork(before=count, after_in_child=lambda: seed(random._inst, start + forks[0]))


class _Inner(threading.local):
    """Whether one seeding function of torch is running inside another: a number is moved once."""

    running = False


def _replace(owner: Any, name: str, move: int, inner: _Inner) -> None:
    """Replace a seeding function of torch by one that moves its number."""
    from unstuck.attach.untraced import stands_for

    original: Callable[[int], Any] = getattr(owner, name)

    @stands_for(original)
    def manual_seed(seed: int) -> Any:
        if inner.running:
            return original(seed)
        inner.running = True
        try:
            return original(_within(int(seed) + move))
        finally:
            inner.running = False

    setattr(owner, name, manual_seed)


def _generators(original: Any, move: int) -> Any:
    """Return the class that stands for ``torch.Generator``, whose own methods cannot be replaced.

    Instances of the original, torch's default generators among them, count as its own. Pickles of its instances can be
    read anywhere.
    """
    meta = type(original)

    class Meta(meta):  # type: ignore[misc, valid-type]
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

    class Generator(original, metaclass=Meta):  # type: ignore[misc]
        __slots__ = ()
        __doc__ = original.__doc__

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            original.manual_seed(self, _within(self.initial_seed() + move))  # else it has a number of torch's

        def manual_seed(self, seed: int) -> Any:
            return original.manual_seed(self, _within(int(seed) + move))

    Generator.__module__, Generator.__qualname__ = "torch", "Generator"  # where pickle finds it, or the original
    return Generator


def _within(number: int) -> int:
    """Return a number that torch takes as a seed."""
    return number % 2**63 if number >= 2**63 else number
