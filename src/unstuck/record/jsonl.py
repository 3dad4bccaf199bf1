"""JSON lines that can hold any float and can be cut off at any byte."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Kinds of values that :func:`decode` has to look at.
_NESTED = (str, dict, list)
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> Any:
    """Return ``value`` with non-finite floats as strings and finite ones rounded to 7 significant digits."""
    if isinstance(value, float):
        if math.isfinite(value):
            return float(f"{value:.7g}")
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """Return ``value`` with the strings that stand for non-finite floats turned back (inverse of :func:`encode`)."""
    if isinstance(value, str):
        return _SPECIAL.get(value, value)
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) if type(item) in _NESTED else item for item in value]
    return value


def dumps(record: dict[str, Any], columns: Mapping[str, str] | None = None) -> str:
    """Return a record as one line of strict JSON without the line's end.

    Args:
        record: What it holds.
        columns: Further entries whose values are JSON already, such as :func:`numbers` gives.

    Returns:
        The line.
    """
    line = json.dumps(encode(record), separators=(",", ":"), allow_nan=False)
    return line[:-1] + "".join(f',"{name}":{text}' for name, text in (columns or {}).items()) + "}"


def numbers(values: Sequence[float | None], form: str = "%.7g") -> str:
    """Return a list of numbers as JSON, as :func:`encode` would give it but several times faster.

    The trained program pays for every one of them, at every step.

    Args:
        values: The numbers; None for one that was not seen.
        form: How a finite number is written.

    Returns:
        The text.
    """
    if values and values.count(values[0]) == len(values):  # a rate that stays, a norm that was never taken
        return "[" + ",".join([json.dumps(encode(values[0]))] * len(values)) + "]"
    if None not in values:
        text = ",".join(map(form.__mod__, values))
        if "n" not in text:  # neither nan nor inf
            return f"[{text}]"
    return json.dumps(encode(values), separators=(",", ":"))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; a line that is torn or not JSON (a killed writer leaves one) is left out."""
    with path.open("rb") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield decode(record)
