"""The course of a loss over a run: where it began, where it ended, and how much of the way it went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from unstuck.difficulties.figures import number
from unstuck.record import Probe, Pulse
from unstuck.record.constant import pooled_constant as pooled_constant
from unstuck.record.reader import Floats

#: Share of the run that its end is read from.
_TAIL = 0.05
#: Batches that are compared with a constant prediction, at least.
_FEWEST = 4


@dataclass(frozen=True)
class Course:
    """How one optimizer's loss went.

    Attributes:
        steps: Number of optimizer steps.
        start: First finite loss, NaN where none is.
        end: Median loss of the last twentieth, NaN where it is not finite.
        lowest: Lowest smoothed loss.
        highest: Highest finite loss.
        peak: Highest running median of three finite losses: one odd batch does not lift it.
        constant: Loss of the best constant prediction, pooled over the probes' batches; None where not known.
        reference: What ``gain`` starts from: the constant's loss, else the start (never above the start).
        gain: Share of the way from ``reference`` to 0 that the run went (negative: it ended above). For a loss that
            takes negative values, the fall in units of its own spread.
        noise: Standard deviation of single losses around their trend at the end.
        falling: Share of the way that the last third of the run still went.
        still_falling: Whether that stands out of the noise.
        first_bad: First step whose loss is not finite, None where all are.
        ends_bad: Whether the run ends with non-finite losses.
        better: By how much, as a share, the later probes' losses typically lie below that of the best constant
            prediction for the same batch; 0 where not all of them do. What batches differ by falls out of it.
        signed: Whether the loss takes negative values, so that no ratio of losses means anything.
    """

    steps: int
    start: float
    end: float
    lowest: float
    highest: float
    constant: float | None
    reference: float
    gain: float
    noise: float
    falling: float
    still_falling: bool
    first_bad: int | None
    ends_bad: bool
    better: float = 0.0
    signed: bool = False
    peak: float = float("nan")

    @property
    def learned(self) -> bool:
        """Whether the run got well away from what a constant prediction reaches."""
        return not self.ends_bad and self.gain >= 0.35

    @property
    def flat(self) -> bool:
        """Whether the run got nowhere."""
        return not self.ends_bad and self.gain < 0.1


def read_course(pulse: Pulse, probes: list[Probe]) -> Course | None:
    """Summarise the losses of one optimizer.

    Args:
        pulse: Its pulse.
        probes: Its probes.

    Returns:
        The course, None where fewer than three losses were seen.
    """
    seen = pulse.loss_seen
    losses, steps = pulse.loss[seen], pulse.step[seen]
    if len(losses) < 3:
        return None
    finite = np.isfinite(losses)
    tail = losses[-max(5, int(len(losses) * _TAIL)) :]
    ends_bad = bool((~np.isfinite(tail)).mean() > 0.5)
    first_bad = None if bool(finite.all()) else int(steps[np.argmin(finite)])
    good = losses[finite]
    start = float(good[0]) if len(good) else float("nan")
    end = float("nan") if ends_bad else float(np.median(tail[np.isfinite(tail)]))
    smooth = smoothed(good)
    constant = pooled_constant(probes)
    searched = all((p.m.get("baseline") or {}).get("loss_kind", "other") == "other" for p in probes)
    if constant is not None and searched and len(smooth) and constant < 0.5 * smooth.min():
        constant = None  # a loss that compares outputs with each other: one for all is no prediction
    reference = start if constant is None else constant if not np.isfinite(start) else min(start, constant)
    if constant is not None and np.isfinite(start) and start < 0.5 * constant:
        reference = constant  # started from a trained network
    noise = _noise(good)
    way = _way(good, reference, noise)
    gain = float("nan") if ends_bad else (reference - end) / way
    falling, still = _fall(good, way)
    return Course(
        steps=int(pulse.step[-1]) + 1,
        start=start,
        end=end,
        lowest=float(smooth.min()) if len(smooth) else float("nan"),
        highest=float(good.max()) if len(good) else float("nan"),
        constant=constant,
        reference=reference,
        gain=gain,
        noise=noise,
        falling=falling,
        still_falling=still,
        first_bad=first_bad,
        ends_bad=ends_bad,
        better=_better(probes),
        signed=bool(len(good) and good.min() < 0),
        peak=float(np.median(sliding_window_view(good, 3), axis=1).max()) if len(good) >= 3 else float("nan"),
    )


def _better(probes: list[Probe]) -> float:
    """Compare each of the later probes' losses with the best constant prediction for its own batch."""
    baselines = [p.m["baseline"] for p in probes[len(probes) // 2 :] if p.m.get("baseline")]
    ratios = [number(b.get("part")) / number(b.get("constant")) for b in baselines if number(b.get("constant")) > 0]
    ratios = [ratio for ratio in ratios if np.isfinite(ratio)]
    return 1 - float(np.median(ratios)) if len(ratios) >= _FEWEST and max(ratios) < 1 else 0.0


def smoothed(losses: Floats) -> Floats:
    """Return running medians over a fiftieth of the run (at least 5 losses)."""
    width = max(5, len(losses) // 50)
    if len(losses) <= width:
        return np.asarray([np.median(losses)]) if len(losses) else losses
    edges = np.linspace(0, len(losses), max(2, len(losses) // width) + 1).astype(int)
    return np.asarray([np.median(losses[a:b]) for a, b in pairwise(edges) if b > a])


def _noise(losses: Floats) -> float:
    """Return the spread of neighbouring losses in the last third: differences take out the trend."""
    last = losses[-max(10, len(losses) // 3) :]
    if len(last) < 4:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(last))) / np.sqrt(2))


def _way(losses: Floats, reference: float, noise: float) -> float:
    """Return the length of the way from the reference to the lowest value that the loss could have."""
    if len(losses) == 0 or not np.isfinite(reference):
        return float("nan")
    if losses.min() >= 0 and reference > 0:
        return float(reference)
    spread = float(np.percentile(losses, 95) - np.percentile(losses, 5))
    return max(spread, noise, 1e-12)


def _fall(losses: Floats, way: float) -> tuple[float, bool]:
    """Return what the last third of the run gained, as a share of the way, and whether it stands out of the noise."""
    third = len(losses) // 3
    if third < 3:
        return 0.0, False
    late = losses[-third:]
    a, b = late[: max(2, third // 3)], late[-max(2, third // 3) :]
    fall = float(np.median(a) - np.median(b))
    error = float(np.hypot(np.std(a) / np.sqrt(len(a)), np.std(b) / np.sqrt(len(b))))
    return fall / way if way > 0 else 0.0, fall > 3 * error
