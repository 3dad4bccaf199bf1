"""Measurements as the difficulties may rely on them: one that lacks what it must hold is left out.

A record may be cut off, come from an older version or hold a measurement that went wrong half way. Here that is sorted
out once, so that the difficulties need not ask at every number whether it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unstuck.difficulties.figures import number
from unstuck.record import Probe

#: Numbers that a measurement must hold; they may be NaN or infinite. Others may be missing or None.
_NUMBERS = {
    "along_update": ("loss_before", "loss_after"),
    "baseline": ("constant",),
    "curvature": ("largest", "smallest"),
    "held_out": ("curvature",),
    "parameters": (
        "held",
        "held_elements",
        "reached",
        "outside_count",
        "outside_elements",
        "unreached_count",
        "unreached_elements",
        "unchanged_count",
        "frozen_count",
    ),
    "sharpness": ("ratio",),
}


def complete(probe: Probe) -> Probe:
    """Return a probe without the measurements that lack something.

    Args:
        probe: As it was recorded.

    Returns:
        The probe as the difficulties read it.
    """
    measured = {}
    for name, value in probe.m.items():
        if name == "loss":
            if _is_number(value):
                measured[name] = value
        elif isinstance(value, dict) and all(_is_number(value.get(key)) for key in _NUMBERS.get(name, ())):
            mended = _MEND.get(name, dict)(value)
            if mended is not None:
                measured[name] = mended
    return replace(probe, m=measured)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _along(numbers: dict[str, Any]) -> dict[str, Any] | None:
    scales, losses = numbers.get("scales"), numbers.get("losses")
    if not isinstance(scales, list) or not isinstance(losses, list):
        return None
    pairs = [(s, number(loss)) for s, loss in zip(scales, losses, strict=False) if _is_number(s) and math.isfinite(s)]
    return {**numbers, "scales": [s for s, _ in pairs], "losses": [loss for _, loss in pairs]}


def _audit(numbers: dict[str, Any]) -> dict[str, Any] | None:
    if not all(isinstance(numbers.get(key), list) for key in ("outside", "unreached")):
        return None
    return numbers if all(math.isfinite(numbers[key]) for key in _NUMBERS["parameters"]) else None


def _baseline(numbers: dict[str, Any]) -> dict[str, Any]:
    counts = numbers.get("counts")
    known = isinstance(counts, list) and all(_is_number(c) and 0 <= c < math.inf for c in counts) and sum(counts) > 0
    return {**numbers, "counts": counts if known else None}


def _by_layer(layers: dict[str, Any]) -> dict[str, Any]:
    return {name: numbers for name, numbers in layers.items() if isinstance(numbers, dict)}


def _decay(layers: dict[str, Any]) -> dict[str, Any]:
    return {name: numbers for name, numbers in _by_layer(layers).items() if "share" in numbers}


_MEND: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "along_update": _along,
    "baseline": _baseline,
    "decay": _decay,
    "layers": _by_layer,
    "parameters": _audit,
}
