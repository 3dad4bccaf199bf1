"""``flat-region``: neither gradient nor curvature: nothing tells the optimizer where to go.

Decision. The loss stays at its level, the gradient is many orders smaller than the weights and the loss would ask for,
and the curvature is as small. (With curvature down it is a saddle; with curvature up and the loss low, a minimum.)
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding

#: Gradient norm times weight norm over loss: how much the loss would fall if all weights changed by their own size.
_ELASTICITY = 1e-3


def find(case: Case) -> Finding | None:
    """Return the finding, None where there is a slope or the run learns."""
    course = case.course
    if course is None or course.learned or case.adversarial or course.ends_bad or course.signed:
        return None  # a signed loss, as of a policy gradient, is flat where there is nothing left to learn
    pull = _elasticity(case)
    if not pull < _ELASTICITY:
        return None
    most = max(
        (abs(v) for key in ("largest", "smallest") for v in case.values("curvature", key) if np.isfinite(v)),
        default=0.0,
    )
    gradient = median(case.values("norms", "gradient"))
    weight = median(case.values("norms", "weight"))
    bent = f" and no curvature is above {figure(most)}" if most > 0 else ""
    bend = most * weight * weight / max(abs(course.reference), 1e-30)
    if bend > 0.3:
        return None
    return Finding(
        difficulty="flat-region",
        role="cause",
        confidence=0.85,
        sentence=(
            f"The run stands in a flat region: at a loss of {figure(course.end, 3)} the gradient's norm is only "
            f"{figure(gradient)}{bent}, so steps with a learning rate of {case.lr:g} lead nowhere."
        ),
        where=case.at_optimizer,
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence={"gradient norm": gradient, "largest |curvature|": most, "gradient norm * weight norm / loss": pull},
        remedies=(
            "start from other weights: the output or its units may be far in their flat ends",
            "scale inputs and targets to about 1",
            "use an optimizer whose steps do not shrink with the gradient (Adam, Rprop)",
        ),
        step=case.probes[0].step if case.probes else None,
    )


def _elasticity(case: Case) -> float:
    """Return gradient norm times weight norm over loss, the median over the run."""
    gradients = case.values("norms", "gradient")
    weights = case.values("norms", "weight")
    losses = [p.m.get("loss", float("nan")) for p in case.probes if "norms" in p.m]
    seen = zip(gradients, weights, losses, strict=False)
    return median(gradient * max(weight, 1e-6) / max(abs(loss), 1e-30) for gradient, weight, loss in seen)
