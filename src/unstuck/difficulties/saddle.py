"""``saddle``: the run sits near a point where the gradient is small and some directions curve down.

Decision. The loss stays on a plateau near its reference; there the gradient is small and the Hessian of the loss has an
eigenvalue below ``-tau`` times the largest (tau = 1e-3 is what single precision resolves; the noise of batches takes
more). Gradient descent leaves such a point along that direction like ``exp(lr |lambda_min| t)``: the rate per step,
times the steps of the run, says whether it can get away in time. Where not even the largest stable step could, the
negative curvature is not what holds the run.

Cost. The time to escape goes with ``1 / lr``: a run is as many times slower as its step could be longer.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.plateau import find_plateau, negative_curvature
from unstuck.difficulties.step_too_small import room_below_limit
from unstuck.record import Probe

_TAU = 1e-3
#: With batches, a few per cent are there on every program: the way to learning the training examples by heart.
_TAU_HELD_OUT = 0.1
#: The same where a single batch confirms it: its own noise reaches a tenth now and then, and a saddle has about one.
_TAU_SINGLE = 0.3
_LONG = 0.3
#: Growth exponent after which a network had left its saddle: 1.6 to 2.8 were measured on the book's network with four
#: hidden layers, at learning rates 0.1 and 1.
_ESCAPE = 1.6


def find(case: Case) -> Finding | None:
    """Return the finding, None where there is no plateau or it does not curve down."""
    course, plateau = case.course, find_plateau(case)
    if course is None or plateau is None or case.adversarial or course.ends_bad or plateau.share < _LONG:
        return None
    raw, small, large = negative_curvature(case, plateau.probes)
    if not raw < -_least(case, plateau.probes) * max(large, 1e-30):
        return None
    if not _gradient_small(case, plateau.probes):
        return None
    room = 2 * room_below_limit(case)  # up to the limit itself
    steps = plateau.last - plateau.first + 1
    rate = effective_rate(case) * -raw
    fastest = rate * max(room, 1.0) * course.steps if np.isfinite(room) else rate * course.steps
    if not plateau.left and fastest < _ESCAPE:
        return None
    cost = _cost(plateau.share, plateau.left, rate, steps, room)
    much = f", {figure(room)} times below the stability limit" if room > 3 else ""
    away = f"left it at step {plateau.last}" if plateau.left else f"did not leave it in {course.steps} steps"
    return Finding(
        difficulty="saddle",
        role="cause",
        confidence=0.85 if case.full_batch else 0.7,
        sentence=(
            f"The run sits on a saddle at a loss of {figure(plateau.level, 3)}: the gradient is small there, and the "
            f"loss curves down in some directions (curvature {figure(raw)}) and up in others ({figure(large)}); with a "
            f"learning rate of {case.lr:g}{much}, it {away}."
        ),
        where=case.at_optimizer,
        cost=cost,
        evidence={
            "most negative curvature of the loss": raw,
            "most negative curvature with weight decay": small,
            "largest curvature": large,
            "growth per step along it": rate,
            "plateau, share of the run": plateau.share,
            "times the step could be longer": room,
        },
        remedies=(
            f"raise the learning rate from {case.lr:g} to about {case.lr * min(max(room / 2, 2), 100):.2g}"
            if room > 3
            else "use momentum 0.9 or Adam",
            "take weight decay away until the loss falls"
            if case.hyper.get("weight_decay")
            else "start from larger random weights",
        ),
        step=plateau.first,
    )


def _least(case: Case, probes: list[Probe]) -> float:
    """Return the share of the largest curvature from which on negative curvature is no noise."""
    if case.full_batch:
        return _TAU
    return _TAU_HELD_OUT if len(case.values("held_out", "curvature", probes)) > 1 else _TAU_SINGLE


def effective_rate(case: Case) -> float:
    """Return the learning rate, times what momentum makes of it in the long run."""
    momentum = float(case.hyper.get("momentum") or 0.0)
    return case.lr / (1 - momentum) if momentum < 1 else case.lr


def _gradient_small(case: Case, probes: list[Probe]) -> bool:
    """Whether the gradient on the plateau is a fraction of what it was at first, or of what it became later."""
    on = median(case.values("norms", "gradient", probes))
    largest = max((v for v in case.values("norms", "gradient") if np.isfinite(v)), default=float("nan"))
    return bool(on < 0.5 * largest) or case.full_batch


def _cost(share: float, left: bool, rate: float, steps: int, room: float) -> Cost:
    if left:
        times = 1 / max(1 - share, 0.02)
        return Cost(times, max(1.0, 0.5 * times), 2 * times)
    faster = room / 2 if np.isfinite(room) and room > 2 else 2.0
    return Cost(faster, max(1.0, faster / 3), float("inf"))
