"""JSON lines that can hold any float and can be cut off at any byte."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
        return [decode(item) for item in value]
    return value


def dumps(record: dict[str, Any]) -> str:
    """Return ``record`` as one line of strict JSON without the line's end."""
    return json.dumps(encode(record), separators=(",", ":"), allow_nan=False)


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
