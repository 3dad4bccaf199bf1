"""How the backward signal changes from the last layer to the first, as the depth difficulties read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.record import Probe

#: Kinds of layer that stand for a step in depth.
_WEIGHTED = ("linear", "conv", "recurrent", "attention", "other")


@dataclass(frozen=True)
class Profile:
    """The backward signal through the depth of the network at one probe.

    Attributes:
        names: Weighted layers in forward order.
        speeds: Gradient norm over weight norm, per layer: how fast the layer learns for its size.
        deltas: Norm of the mean gradient of the pre-activation, per layer (NaN where not known).
        factors: By how much the signal changes from the layer above to this one: activation slope times weights; the
            last layer has none. Several layers without weights in between are counted with them.
        signal: Signal at the first layer as a share of that at the last, example by example.
    """

    names: list[str]
    speeds: list[float]
    deltas: list[float]
    factors: list[float]
    signal: float

    @property
    def end_to_end(self) -> float:
        """First layer's gradient as a share of the last's, by the milder of two measures; NaN with one layer.

        The mean gradient vanishes where it cancels over the batch (a bias before a normalisation), the signal where it
        is cut off; only what both show is there. (The weights' gradients are no measure: they grow with what a layer
        reads, which hides a signal that explodes both ways.)
        """
        if len(self.names) < 2:
            return float("nan")
        by_delta = _ratio(self.deltas[0], self.deltas[-1])
        if not by_delta > 0:
            return self.signal
        if by_delta > 1 and self.signal > 1:
            return min(by_delta, self.signal)
        return max(by_delta, self.signal) if by_delta < 1 and self.signal < 1 else 1.0

    @property
    def shrinking(self) -> int:
        """Number of layers through which the signal falls below half."""
        return sum(f < 0.5 for f in self.factors if np.isfinite(f))

    @property
    def growing(self) -> int:
        """Number of layers through which the signal more than doubles."""
        return sum(f > 2 for f in self.factors if np.isfinite(f))


def read_profile(case: Case, probe: Probe) -> Profile | None:
    """Read the profile of one probe.

    Args:
        case: The case.
        probe: One of its probes.

    Returns:
        The profile, None where layers were not measured.
    """
    layers = probe.m.get("layers")
    if not layers:
        return None
    names, speeds, deltas, factors = [], [], [], []
    signal = running = 1.0
    previous = None
    for name, numbers in layers.items():
        info = case.layer(name)
        own = _product(numbers.get("slope_factor"), numbers.get("weight_factor"))
        if info is not None and info.kind in _WEIGHTED and len(info.shape) > 1:
            if previous is not None:
                factors.append(running)
                signal *= running if np.isfinite(running) else 1.0
            running = own
            previous = name
            names.append(name)
            weight, grad = numbers.get("weight"), numbers.get("grad")
            speeds.append(_ratio(grad, weight))
            delta = numbers.get("delta")
            deltas.append(float("nan") if delta is None else float(delta))
        elif previous is not None:
            running *= own if np.isfinite(own) else 1.0
    return Profile(names, speeds, deltas, factors, signal) if names else None


def profiles(case: Case) -> list[tuple[Probe, Profile]]:
    """Return the profiles of all probes that have one."""
    return [(p, profile) for p in case.probes if (profile := read_profile(case, p)) is not None]


def _ratio(above: float | None, below: float | None) -> float:
    return float("nan") if above is None or not below or not np.isfinite(below) else float(above) / float(below)


def _product(a: float | None, b: float | None) -> float:
    if a is None and b is None:
        return float("nan")
    return float(a if a is not None else 1.0) * float(b if b is not None else 1.0)
