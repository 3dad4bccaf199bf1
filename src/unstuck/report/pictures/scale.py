"""Scales from values to picture units, with nice ticks: linear, logarithmic, and symmetric logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unstuck.report.words import count, number

Kind = Literal["linear", "log", "symlog"]


@dataclass(frozen=True)
class Scale:
    """A map from ``low..high`` to ``start..end``.

    Attributes:
        low: Smallest value shown.
        high: Largest value shown, above ``low``.
        start: Position of ``low`` in the picture.
        end: Position of ``high``; less than ``start`` for an axis that grows upwards.
        kind: ``linear``, ``log`` (values above 0), or ``symlog`` (logarithmic on both sides of 0).
        threshold: Width of the linear part of ``symlog``.
        whole: Whether only whole numbers make sense as ticks.
    """

    low: float
    high: float
    start: float
    end: float
    kind: Kind = "linear"
    threshold: float = 1.0
    whole: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of ``value``, held within the axis."""
        low, high = self._map(self.low), self._map(self.high)
        share = (self._map(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _map(self, value: float) -> float:
        if self.kind == "log":
            return math.log10(value)
        if self.kind == "symlog":
            return math.copysign(math.log10(1 + abs(value) / self.threshold), value)
        return value

    def ticks(self, room: float) -> list[tuple[float, str]]:
        """Return values and labels for ticks that stand at least ``room`` apart."""
        most = max(2, int(abs(self.end - self.start) / room))
        if self.kind == "linear":
            return self._linear(most)
        ticks = self._decades(most) if self.kind == "log" else self._signed_decades()
        return [(value, _power(value)) for value in _apart(ticks, self, room)] or self._linear(most)

    def _linear(self, most: int) -> list[tuple[float, str]]:
        step = max(nice_step((self.high - self.low) / most), float(self.whole))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(i * step, _label(i * step, step, max(abs(self.low), abs(self.high)))) for i in range(first, last + 1)]

    def _decades(self, most: int) -> list[float]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        if last - first < 2:  # under three powers of ten in sight: 1, 2, 5
            all_ = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
            return [v for v in all_ if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]
        every = math.ceil((last - first + 1) / most)
        return [10.0**e for e in range(first, last + 1) if e % every == 0]

    def _signed_decades(self) -> list[float]:
        top = max(abs(self.low), abs(self.high))
        powers = range(math.ceil(math.log10(self.threshold) - 1e-9), math.floor(math.log10(top) + 1e-9) + 1)
        signed = [0.0, *(s * 10.0**e for e in reversed(powers) for s in (1, -1))]  # 0 and the ends matter most
        return [v for v in signed if self.low <= v <= self.high]


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def _apart(values: list[float], scale: Scale, room: float) -> list[float]:
    """Keep the values whose positions are ``room`` apart from those kept before them."""
    kept: list[float] = []
    for value in values:
        if all(abs(scale(value) - scale(other)) >= room for other in kept):
            kept.append(value)
    return sorted(kept)


def _power(value: float) -> str:
    return f"{value:.0e}".replace("e+0", "e").replace("e+", "e") if abs(value) >= 9999 else number(value)


def _label(value: float, step: float, largest: float) -> str:
    for unit, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if largest >= 10 * unit or (letter != " k" and largest >= unit):
            return f"{value / unit:.{_decimals(step / unit)}f}{letter}" if abs(value) > step / 2 else "0"
    if largest < 1e-3 or _decimals(step) > 5:
        digits = max(0, math.floor(math.log10(largest)) - math.floor(math.log10(step)))
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        return f"{mantissa}e{int(exponent)}" if abs(value) > step / 2 else "0"
    return f"{value:.{_decimals(step)}f}" if step < 0.999 else count(round(value))


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))
