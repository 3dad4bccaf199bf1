"""Columns of numbers for drawing: what to take from a run, and how to thin it without hiding anything."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unstuck.record import Probe, Run

Floats = NDArray[np.float64]


def main_optimizer(run: Run) -> int | None:
    """Return the optimizer that the pictures show: the one with most steps, the first of equals."""
    return max(run.pulse, key=lambda index: (len(run.pulse[index]), -index), default=None)


def probes_with(run: Run, name: str) -> list[Probe]:
    """Return the probes that hold measurement ``name``, of the main optimizer where it has any, in order of step."""
    found = [probe for probe in run.probes if probe.m.get(name)]
    main = main_optimizer(run)
    chosen = main if any(p.optimizer == main for p in found) else found[0].optimizer if found else None
    return sorted((p for p in found if p.optimizer == chosen), key=lambda p: p.step)


def why_missing(run: Run, name: str) -> str:
    """Return a sentence that says why no probe holds measurement ``name``."""
    if not run.probes:
        return "No probe step was taken in this run."
    reasons = [probe.failed[name] for probe in run.probes if name in probe.failed]
    reasons += [str(p.replay["why"]) for p in run.probes if not p.replay.get("ok", True) and p.replay.get("why")]
    return f"It was not measured: {reasons[0]}" if reasons else "None of the probe steps measured it."


def floating(value: Any) -> float:
    """Return a number of the record as a float; NaN for one that is missing."""
    return float(value) if isinstance(value, (int, float)) else math.nan


def column(probes: list[Probe], name: str, key: str) -> Floats:
    """Return entry ``key`` of measurement ``name`` at each probe."""
    return np.array([floating(probe.m[name].get(key)) for probe in probes], dtype=np.float64)


def steps_of(probes: list[Probe]) -> Floats:
    """Return the steps of the probes."""
    return np.array([probe.step for probe in probes], dtype=np.float64)


def thinned(xs: Floats, ys: Floats, most: int = 600) -> tuple[Floats, Floats]:
    """Return at most ``most`` points: the smallest and the largest of each stretch, so that no spike is lost."""
    if len(xs) <= most:
        return xs, ys
    keep: list[int] = []
    for part in np.array_split(np.arange(len(xs)), most // 2):
        values = ys[part]
        if np.isfinite(values).any():
            keep += sorted({int(part[np.nanargmin(values)]), int(part[np.nanargmax(values)])})
        else:
            keep.append(int(part[0]))
    return xs[keep], ys[keep]


def smoothed(ys: Floats, width: int) -> Floats:
    """Return the mean over a centred window of ``width`` values, narrower towards the ends; NaN is left out."""
    seen = np.isfinite(ys)
    sums = np.concatenate([[0.0], np.cumsum(np.where(seen, ys, 0.0))])
    counts = np.concatenate([[0], np.cumsum(seen)])
    centre = np.arange(len(ys))
    half = np.minimum(np.minimum(centre, centre[::-1]), width // 2)  # lopsided windows would pull the ends inwards
    half = np.maximum(half, width // 8)  # but a window of one would leave a spike there
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half + 1, len(ys))
    number = counts[high] - counts[low]
    mean = (sums[high] - sums[low]) / np.maximum(number, 1)
    return np.where(seen & (number > 0), mean, np.nan)


def spread_out(count: int, most: int) -> list[int]:
    """Return at most ``most`` of ``range(count)``, evenly apart, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)] if most > 1 else [0]
