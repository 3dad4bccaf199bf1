"""The loss of the best constant prediction over a run, pooled from what single batches said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from unstuck.record.reader import Probe

#: Ratio of constants of single batches below which the batches are not alike.
_ALIKE = 0.05


def pooled_constant(probes: Iterable[Probe]) -> float | None:
    """Return the loss of the best constant prediction over all probed batches together.

    Class counts are added up (a constant fitted to one small batch is too good); other losses are averaged.

    Args:
        probes: Probes of one optimizer.

    Returns:
        The loss, None where no probe has one, or where it cannot be told from batches that are not alike.
    """
    found = [p.m["baseline"] for p in probes if "baseline" in p.m]
    found = [b for b in found if _finite(b.get("constant")) and not _infinite(b.get("part"))]
    if not found:
        return None
    counts = [b["counts"] for b in found if b.get("counts")]
    mean = float(np.mean([b["constant"] for b in found]))
    if len(counts) != len(found) or len({len(c) for c in counts}) != 1:
        each = [b["constant"] for b in found]
        # Batches that are not alike (sorted data): what is best for each says nothing of what is best for all.
        return None if min(each) < _ALIKE * max(each) else mean
    own = float(np.mean([_entropy(c) for c in counts]))
    pooled = _entropy(np.sum(np.asarray(counts, dtype=float), axis=0).tolist())
    # The step's loss may be a sum, or scaled: keep the ratio of the batch's constant to its entropy.
    return mean * pooled / own if own > 0 else None


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _infinite(value: object) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _entropy(counts: list[float]) -> float:
    values = np.asarray(counts, dtype=float)
    share = values[values > 0] / values.sum()
    return float(-(share * np.log(share)).sum())
