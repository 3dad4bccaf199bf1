"""Numbers as sentences hold them: two or three digits, no exponents where words do."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

_WORDS = ((1e9, "billion"), (1e6, "million"))


def number(value: Any) -> float:
    """Return a value of the record as a float, NaN where it is missing or no number."""
    return float(value) if isinstance(value, (int, float)) else math.nan


def figure(value: float, digits: int = 2) -> str:
    """Return a number for a sentence: ``0.00031``, ``4 400``, ``41 million``, ``5.5e13``.

    Args:
        value: The number.
        digits: How many digits of it mean something.

    Returns:
        The text; ``"an unknown number"`` for NaN.
    """
    if math.isnan(value):
        return "an unknown number"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    value = float(f"{value:.{digits - 1}e}")
    size = abs(value)
    if size >= 1e12 or 0 < size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    scale, word = next(((scale, f" {word}") for scale, word in _WORDS if size >= scale), (1.0, ""))
    value /= scale
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    places = max(0, digits - 1 - (math.floor(math.log10(abs(value))) if value else 0))
    return _trimmed(f"{value:.{places}f}") + word


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """Return a share in percent, without pretending that a small one is none: ``97 %``, ``under 1 %``."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{figure(100 * share, 3 if abs(share) >= 1 else 2)} %"


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of the positive finite values, NaN where there is none."""
    logs = [math.log(value) for value in values if 0 < value < math.inf]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan
