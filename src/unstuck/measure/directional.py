"""A gradient against difference quotients, in float64: what autograd says of a direction, and what the function does.

The quotient of a smooth function misses its derivative by a multiple of ``h^2``, and by rounding, ``eps |f| / h``. At a
kink within ``h`` (a rectifier that switches) it misses by more, but ever less as ``h`` shrinks past it. A wrong one
gradient is another limit: the quotients agree with each other at every ``h``, and not with it.

Networks lie *on* kinks: a zero bias before a rectifier, an output of exactly 0 in an absolute error. There is no
derivative there, so the comparison is made at a point beside, moved a little at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable

#: Relative error of a directional derivative that is no rounding. In float64 a right gradient stays under 1e-7; a wrong
#: one is off by 1e-4 and more even where only a part of a layer is concerned; between them lie kinks.
LIMIT = 1e-5
#: First ``h``, as a share of the length of what is moved: between the cube root of eps (6e-6) and 1e-4.
_STEP = 1e-5
#: Rounding errors of a loss, in units of its last place; a loss near 0 is a difference of numbers near 1.
_ULPS = 16
#: How many times as long it is for a gradient that rounding would hide.
_LONG = 100.0
#: How far the point is moved: a hundred ``h``, so that no kink that it lay on is still within ``h``.
_MOVED = 1e-3
#: Share of the derivative up to which rounding may leave it unknown.
_RESOLVED = 1e-3
#: Quotients at two ``h`` agree where they differ by less than this share of their distance from autograd's value.
_AGREE = 0.1
_EPS = torch.finfo(torch.float64).eps

Function = Callable[[Sequence[Tensor]], Tensor]


@dataclass(frozen=True)
class Check:
    """What came out for one direction.

    Attributes:
        error: Relative error of autograd's derivative; None where rounding hides the derivative.
        kink: Whether an error was seen that does not stay as ``h`` shrinks.
        wrong: Whether one was seen that stays.
        ratio: Autograd's derivative divided by the true one; None where that is 0 or unknown.
    """

    error: float | None
    kink: bool = False
    wrong: bool = False
    ratio: float | None = None


@dataclass(frozen=True)
class _Look:
    """A difference quotient, its distance from autograd's value, and a bound of its rounding error."""

    quotient: float
    gap: float
    scale: float
    noise: float

    @property
    def agrees(self) -> bool:
        return self.gap <= max(LIMIT * self.scale, self.noise)

    @property
    def clear(self) -> bool:
        """Whether the distance is no rounding."""
        return self.gap > LIMIT * self.scale and self.noise <= _AGREE * self.gap


class Point:
    """A function at a point beside the given one, with its gradient.

    Attributes:
        at: The point.
        value: The function's value there.
        gradient: Its gradient by autograd.
        evaluations: How often the function was called so far.

    Args:
        function: From tensors to a scalar; called with new tensors each time, as often as wanted.
        at: The point, in float64.
        generator: Source of randomness, on the CPU.

    Raises:
        NotMeasurable: The value or the gradient is not finite, or cannot be computed.
    """

    def __init__(self, function: Function, at: Sequence[Tensor], generator: torch.Generator) -> None:
        self._function = function
        self._generator = generator
        self.evaluations = 0
        for place in self._places(at):
            self.at = place
            self.value, self.gradient = self._derive()
            if math.isfinite(self.value) and all(bool(g.isfinite().all()) for g in self.gradient):
                return
        raise NotMeasurable("the loss or its gradient is not finite")

    def _places(self, at: Sequence[Tensor]) -> Iterator[list[Tensor]]:
        """Yield points to try: moved by noise; scaled by noise, which keeps signs; the point itself."""
        together = _rms(at)
        yield [p + _MOVED * (_rms([p]) or together or 1.0) * self._random(p) for p in at]
        yield [p * (1 + _MOVED * self._random(p)) for p in at]
        yield [p.detach() for p in at]

    def _random(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self._generator, dtype=torch.float64).to(like.device)

    def _derive(self) -> tuple[float, list[Tensor]]:
        self.evaluations += 1
        with torch.inference_mode(False), torch.enable_grad():
            leaves = [p.detach().requires_grad_(True) for p in self.at]
            value = self._function(leaves)
            if not value.requires_grad:
                raise NotMeasurable("the loss does not depend on the parameters")
            try:
                found = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
            except RuntimeError as error:
                first = (str(error).strip().splitlines() or [""])[0][:160].rstrip(". ")
                raise NotMeasurable(f"the gradient cannot be had in double precision: {first}") from error
        return float(value.detach()), list(found)

    def again(self) -> float:
        """Return the function's value at the point, computed once more."""
        return self._evaluate([], [], 0.0)

    def check(self, indices: Sequence[int], along_gradient: bool = True) -> Check:
        """Compare along one direction.

        Where all is well that takes two evaluations of the function, else up to twelve.

        Args:
            indices: The tensors to move; the others stay.
            along_gradient: Whether the direction leans towards the gradient (see :meth:`direction`).

        Returns:
            What came out.
        """
        direction = self.direction(indices, along_gradient)
        slope = sum(float((self.gradient[i] * d).sum()) for i, d in zip(indices, direction, strict=True))
        length = math.sqrt(sum(float(self.at[i].square().sum()) for i in indices))
        h = _STEP * (length or 1.0)

        def look(times: float) -> _Look:
            quotient, noise = self._quotient(indices, direction, times * h)
            return _Look(quotient, abs(quotient - slope), max(abs(quotient), abs(slope)), noise)

        # Where the gradient is so small that the loss hardly changes, a longer step shows it, if any does.
        times = _LONG if 0 < abs(slope) * _RESOLVED < self._noise(h, self.value) else 1.0
        first = look(times)
        if not first.agrees:
            return _judge(first, times, look, slope)
        if first.scale == 0:
            return Check(0.0)
        known = first.noise <= _RESOLVED * first.scale or not slope
        return Check(max(first.gap - first.noise, 0.0) / first.scale if known else None)

    def direction(self, indices: Sequence[int], along_gradient: bool = True) -> list[Tensor]:
        """Return a random unit direction of some of the tensors.

        Each tensor's part is as long as the other's, so that none hides behind a large one. Half of it lies along the
        tensor's gradient, so that an error of the gradient's length shows in full; the other half is random, so that
        one of its direction shows as well.
        """
        parts = []
        for i in indices:
            part = self._random(self.at[i])
            part = part / max(float(part.norm()), 1e-300)
            length = float(self.gradient[i].norm())
            if along_gradient and length > 0:
                toward = self.gradient[i] / length
                part = toward + (part if float((part * toward).sum()) >= 0 else -part)
            parts.append(part)
        whole = math.sqrt(sum(float(p.square().sum()) for p in parts)) or 1.0
        return [p / whole for p in parts]

    def _quotient(self, indices: Sequence[int], direction: Sequence[Tensor], h: float) -> tuple[float, float]:
        """Return the central difference quotient and a bound of its rounding error."""
        above, below = self._evaluate(indices, direction, h), self._evaluate(indices, direction, -h)
        return (above - below) / (2 * h), self._noise(h, above, below)

    @staticmethod
    def _noise(h: float, *values: float) -> float:
        """Return a bound of the rounding error of a quotient of these values."""
        bound = _ULPS * _EPS * max(1.0, *map(abs, values)) / h
        return bound if math.isfinite(bound) else math.inf

    def _evaluate(self, indices: Sequence[int], direction: Sequence[Tensor], by: float) -> float:
        self.evaluations += 1
        moved = list(self.at)
        for i, d in zip(indices, direction, strict=True):
            moved[i] = torch.add(self.at[i], d, alpha=by)
        with torch.no_grad():
            return float(self._function(moved).detach())


def _judge(first: _Look, times: float, look: Callable[[float], _Look], slope: float) -> Check:
    """Say whether a difference stays as ``h`` shrinks, and does not go as it grows."""
    looks = [first]
    times_at_first = times
    for _ in range(3):
        times /= 10
        looks.append(look(times))
        if looks[-1].gap <= LIMIT * looks[-1].scale:
            return Check(looks[-1].gap / looks[-1].scale, kink=True)
        if not looks[-1].clear:
            break
    clear = [one for one in looks if one.clear]
    if len(clear) == 1:
        clear.insert(0, look(1000 * times))
    last = clear[-1] if clear else looks[-1]
    wrong = len(clear) > 1 and clear[-2].clear and abs(clear[-2].quotient - last.quotient) <= _AGREE * last.gap
    if wrong and last.gap >= 0.5 * last.scale:
        # A function that rounds what it is given (to float32, say) does not move for a small h, but for a large one.
        wrong = min(first.gap, look(100.0).gap) >= 0.5 * last.gap
    if not wrong and times_at_first > 1:
        return Check(None)  # too long a step for this function, and a shorter one drowns in rounding
    ratio = slope / last.quotient if wrong and last.quotient else None
    return Check(last.gap / last.scale if last.scale else None, kink=not wrong, wrong=wrong, ratio=ratio)


def _rms(tensors: Sequence[Tensor]) -> float:
    count = sum(t.numel() for t in tensors)
    return math.sqrt(sum(float(t.detach().square().sum()) for t in tensors) / count) if count else 0.0
