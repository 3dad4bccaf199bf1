"""Numbers, durations, costs and foreign text in the words of the report, the same in every output format."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from unstuck.difficulties.finding import Cost, Where

_UNITS = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(value: object) -> str:
    """Return ``value`` as one line of text that cannot steer a terminal or a page.

    Control characters, marks that turn the direction of writing, and halves of characters (from file names that are
    not UTF-8) are shown as their escapes, line ends and tabs as spaces.
    """
    return "".join(" " if c in "\n\r\t" else _visible(c) for c in str(value)).strip()


def _visible(character: str) -> str:
    if character in _BIDI or unicodedata.category(character) in ("Cc", "Cs"):
        return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    return character


def number(value: float) -> str:
    """Return ``value`` as a person would write it: ``0.00123`` as ``1.2e-3``, ``1200000`` as ``1.2 M``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.00995 or size >= 1e12:
        return _scientific(value)
    for unit, letter in _UNITS:
        if size >= unit * 0.9995:
            scale = 1e3 if letter == "k" else unit
            return f"{_short(value / scale)} {letter}"
    return _short(value)


def _short(value: float) -> str:
    size = abs(value)
    if size >= 99.5:
        return count(round(value))
    digits = 3 if size >= 10 else 2
    text = f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def count(value: int) -> str:
    """Return a whole number with its thousands apart: ``12 345``."""
    return f"{value:,}".replace(",", " ")


def plural(value: int, thing: str) -> str:
    """Return a number of things: ``1 step``, ``2 steps``."""
    return f"{count(value)} {thing}{'' if value == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share as a percentage: ``0.021`` as ``2.1 %``."""
    if not math.isfinite(share):
        return "unknown"
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %" if value >= 0.05 else "under 0.1 %"


def duration(seconds: float) -> str:
    """Return a time span as a person would say it: ``0.012`` as ``12 ms``, ``3725`` as ``1 h 2 min``."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def cost(value: Cost) -> str:
    """Return a cost as the report says it: ``about 6 times slower (5 to 7)``."""
    if math.isinf(value.times_slower):
        reach = "does not get there at all"
        return reach if math.isinf(value.low) else f"{reach} (at least {_times(value.low)} times slower)"
    text = f"{_times(value.times_slower)} times slower{_range(value)}"
    return f"{text}, measured in trials" if value.measured_by == "trial" else f"about {text}"


def _range(value: Cost) -> str:
    low, high = _times(value.low), _times(value.high)
    if low == high:
        return ""
    return f" ({low} or more)" if math.isinf(value.high) else f" ({low} to {high})"


def _times(value: float) -> str:
    if not math.isfinite(value):
        return number(value)
    if value < 2.95:
        return f"{value:.1f}".removesuffix(".0")
    return count(int(round(value, -max(0, math.floor(math.log10(value)) - 1))))  # two digits are honest enough


def title(difficulty: str) -> str:
    """Return the name of a difficulty as a heading: ``step-too-small`` as ``Step too small``."""
    return clean(difficulty).replace("-", " ").capitalize()


def place(where: Where) -> str:
    """Return ``file:line (layer)`` as far as it is known, safe to print."""
    if where.file and where.line:
        return clean(where)
    return (
        f"parameter {clean(where.parameter)}"
        if where.parameter
        else f"layer {clean(where.layer)}"
        if where.layer
        else ""
    )


def fitted(names: Sequence[str], length: int) -> list[str]:
    """Return dotted names in at most ``length`` characters: what all share at the start goes first, then the middle."""
    if max(map(len, names), default=0) > length and len(names) > 1:
        first, last = min(names), max(names)  # what these two share, all share
        same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        shared = first.rfind(".", 0, same) + 1
        names = [name[shared:] for name in names]
    return [shortened(name, length) for name in names]


def shortened(text: str, length: int) -> str:
    """Return ``text`` in at most ``length`` characters, the middle left out: ends tell names apart."""
    if len(text) <= length:
        return text
    tail = (length - 1) * 2 // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"
