"""numpy's share of a trial's random numbers; see ``seeds.py``."""

from __future__ import annotations

import functools
from typing import Any

#: Classes that take a seed as their first argument.
_SEEDED = ("RandomState", "SeedSequence", "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def shift(module: Any, start: int, move: int) -> None:
    """Seed and shift ``numpy.random``.

    Args:
        module: ``numpy.random``.
        start: What generators begin with that the program does not seed; the second of them with the next number.
        move: What is added to the numbers that the program passes; 0 leaves them as they are.
    """
    numbers = _Numbers(module, start, move)
    original_seed, original_rng = module.seed, module.default_rng
    original_seed(start % 2**32)

    @functools.wraps(original_seed)
    def seed(*args: Any, **kwargs: Any) -> None:
        original_seed(*numbers.moved(*args, **kwargs, legacy=True))

    @functools.wraps(original_rng)
    def default_rng(*args: Any, **kwargs: Any) -> Any:
        return original_rng(*numbers.moved(*args, **kwargs))

    originals = {name: getattr(module, name) for name in _SEEDED if hasattr(module, name)}
    module.seed, module.default_rng = seed, default_rng
    for name, original in originals.items():
        setattr(module, name, _stand_in(original, name, numbers))


class _Numbers:
    """Turns the seeds that the program passes into those of the trial."""

    def __init__(self, module: Any, start: int, move: int) -> None:
        import numpy as np

        self._array = np.asarray
        self._integer = (int, np.integer)
        self._made = (module.SeedSequence, module.BitGenerator, module.Generator, module.RandomState)
        self._next = start
        self._move = move

    def moved(self, seed: Any = None, *, legacy: bool = False) -> tuple[Any]:
        """Return the arguments for the original; one that it would refuse, or that is seeded already, as it is.

        Args:
            seed: What the program passed.
            legacy: Whether numbers have 32 bits.
        """
        if seed is None:
            self._next += 1
            return (self._next % 2**32 if legacy else self._next,)
        if not self._move or isinstance(seed, self._made):
            return (seed,)
        if isinstance(seed, self._integer):
            number = int(seed)
            if number < 0 or (legacy and number >= 2**32):
                return (seed,)
            return ((number + self._move) % 2**32 if legacy else number + self._move,)
        words = self._array(seed)
        if words.dtype.kind not in "iu" or words.size == 0:
            return (seed,)
        return ([*(int(word) for word in words.ravel()), self._move % 2**32],)


def _stand_in(original: Any, name: str, numbers: _Numbers) -> Any:
    """Return a class that stands for one of numpy's: what it makes is the original's, from a number of the trial's."""

    class Meta(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is not stand_in:
                return super().__call__(*args, **kwargs)  # a class of the program's own
            keyword = next((word for word in ("seed", "entropy") if word in kwargs), None)
            if args:
                given, args = args[:1], args[1:]
            elif keyword:
                given = (kwargs.pop(keyword),)
            elif kwargs:
                return original(**kwargs)  # Philox(key=...) and the like
            else:
                given = ()
            return original(*numbers.moved(*given, legacy=name == "RandomState"), *args, **kwargs)

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original) if cls is stand_in else super().__instancecheck__(instance)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, original) if cls is stand_in else super().__subclasscheck__(other)

    stand_in: Any = Meta(name, (original,), {"__doc__": original.__doc__, "__module__": "numpy.random"})
    return stand_in
