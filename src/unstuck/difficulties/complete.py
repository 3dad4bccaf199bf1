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
    "precision": ("lost_updates", "zero_gradients"),
    "sharpness": ("ratio",),
    "targets": ("score", "moved", "examples"),
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
    if not all(math.isfinite(numbers[key]) for key in _NUMBERS["parameters"]):
        return None
    return {**numbers, "cut": numbers["cut"] if _is_cut(numbers.get("cut")) else None}


def _is_cut(cut: Any) -> bool:
    if not isinstance(cut, dict) or not isinstance(cut.get("names"), list) or not isinstance(cut.get("how"), str):
        return False
    counts = ("count", "elements", "times") if cut.get("what") == "past" else ("count", "elements")
    return all(_is_count(cut.get(key)) for key in counts)


def _is_count(value: Any) -> bool:
    return _is_number(value) and 0 <= value < math.inf


def _baseline(numbers: dict[str, Any]) -> dict[str, Any]:
    counts = numbers.get("counts")
    known = isinstance(counts, list) and all(_is_number(c) and 0 <= c < math.inf for c in counts) and sum(counts) > 0
    return {**numbers, "counts": counts if known else None}


def _finite(*keys: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    """Return what leaves a measurement out where one of these numbers is not finite."""
    return lambda numbers: numbers if all(math.isfinite(numbers[key]) for key in keys) else None


def _by_layer(layers: dict[str, Any]) -> dict[str, Any]:
    return {name: numbers for name, numbers in layers.items() if isinstance(numbers, dict)}


def _decay(layers: dict[str, Any]) -> dict[str, Any]:
    return {name: numbers for name, numbers in _by_layer(layers).items() if "share" in numbers}


def _task(numbers: dict[str, Any]) -> dict[str, Any] | None:
    heads = numbers.get("heads")
    whole = [head for head in heads if _is_head(head)] if isinstance(heads, list) else []
    return {**numbers, "heads": whole} if whole else None


def _is_head(head: Any) -> bool:
    if not isinstance(head, dict) or not isinstance(head.get("kind"), str):
        return False
    links = head.get("activations")
    known = isinstance(links, list) and all(map(_is_link, links))
    blown = head.get("broadcast")
    return (
        known
        and _is_tensor(head.get("prediction"))
        and _is_tensor(head.get("target"))
        and all(key in head for key in ("file", "line", "single", "broadcast"))
        and (not head.get("sums_to_one") or (_is_shape(head["sums_to_one"]) and len(head["sums_to_one"]) > 1))
        and (blown is None or _is_shape(blown))
        and _are_counts(head["target"].get("classes"))
    )


def _is_link(link: Any) -> bool:
    keys = ("name", "dim", "direct", "file", "line")
    if not isinstance(link, dict) or not all(key in link for key in keys):
        return False
    return isinstance(link["name"], str) and (link["dim"] is None or type(link["dim"]) is int)


def _is_tensor(about: Any) -> bool:
    if not isinstance(about, dict) or not _is_shape(about.get("shape")):
        return False
    return all(_is_number(about.get(key)) and math.isfinite(about[key]) for key in ("min", "max", "mean", "std"))


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 10**9 for size in value)


def _are_counts(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(_is_number(count) and 0 <= count < math.inf for count in value)
    )


def _modes(numbers: dict[str, Any]) -> dict[str, Any] | None:
    wanted = {"norms": ("training", "evaluating", "fresh"), "dropouts": ("on", "off")}
    whole = all(
        isinstance(numbers.get(name), dict) and all(_is_count(numbers[name].get(key)) for key in keys)
        for name, keys in wanted.items()
    )
    return numbers if whole else None


_MEND: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "along_update": _along,
    "baseline": _baseline,
    "decay": _decay,
    "layers": _by_layer,
    "modes": _modes,
    "parameters": _audit,
    "precision": _finite("lost_updates", "zero_gradients"),
    "targets": _finite("score", "moved", "examples"),
    "task": _task,
}
