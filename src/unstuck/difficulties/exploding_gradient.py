"""``exploding-gradient``: the backward signal grows on its way to the first layers, or through time.

Decision. By depth: the first layer's gradient is more than a hundred times the last's, by the mean gradient and by the
signal of single examples. Through time (a recurrent layer is one layer on the tape): gradient norm times weight norm
over loss, by how much the loss changes when the weights change by their own size, exceeds 300 at a layer that is
applied again and again (sound recurrent networks: 1 to 80 over the test suite's programs, exploding ones 700 and more).
A fault where the run diverged or did not learn.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.course import Course
from unstuck.difficulties.depth import profiles
from unstuck.difficulties.figures import figure, geometric_mean
from unstuck.difficulties.finding import Cost, Finding
from unstuck.record import LayerInfo

_GROWN = 100.0
_THROUGH_TIME = 300.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where the signal does not explode or the run learns."""
    course = case.course
    if course is None or (course.learned and not course.ends_bad) or case.adversarial:
        return None
    return _by_depth(case) or _through_time(case)


def _by_depth(case: Case) -> Finding | None:
    seen = [(probe, p) for probe, p in profiles(case)[:1] if len(p.names) >= 3]
    if not seen:
        return None
    probe, worst = max(seen, key=lambda pair: np.nan_to_num(pair[1].end_to_end, nan=0.0))
    if not (worst.end_to_end > _GROWN and median(worst.factors) > 1.05):
        return None
    factor = geometric_mean(worst.factors)
    layer = worst.names[0]
    return _finding(
        case,
        layer,
        probe.step,
        f"The gradient explodes on its way back through the network: at the first of {len(worst.names)} layers it is "
        f"{figure(worst.end_to_end)} times as large as at the last; each layer multiplies it by about {figure(factor)}",
        {"first layer's speed / last layer's": worst.end_to_end, "factor per layer": factor},
    )


def _through_time(case: Case) -> Finding | None:
    recurrent = [layer for layer in case.layers if layer.kind == "recurrent"] or _repeated(case)
    if not recurrent:
        return None
    for probe in case.probes[:2]:
        loss, layers = probe.m.get("loss"), probe.m.get("layers", {})
        for layer in recurrent:
            numbers = layers.get(layer.name, {})
            gradient, weight = numbers.get("grad"), numbers.get("weight")
            if gradient is None or weight is None or loss is None or not loss:
                continue
            pull = float(gradient) * float(weight) / abs(float(loss))
            if pull > _THROUGH_TIME:
                return _finding(
                    case,
                    layer.name,
                    probe.step,
                    f"The gradient explodes on its way back through time: at layer {layer.name}, whose weights are "
                    f"applied at every time step, its norm is {figure(gradient)}, so that a change of the weights by "
                    f"1 % would change the loss by about {figure(0.01 * pull)} times its value",
                    {"gradient norm * weight norm / loss": pull, "gradient norm": gradient, "loss": loss},
                )
    return None


def _repeated(case: Case) -> list[LayerInfo]:
    """Return layers that the step calls several times (a recurrence written by hand)."""
    return [layer for layer in case.layers if layer.calls > 2]


def _ended(course: Course) -> str:
    return "became infinite or NaN" if course.ends_bad else f"ended at {figure(course.end, 3)}"


def _finding(case: Case, layer: str, step: int, sentence: str, evidence: dict[str, object]) -> Finding:
    course = case.course
    assert course is not None
    return Finding(
        difficulty="exploding-gradient",
        role="cause",
        confidence=0.85,
        sentence=f"{sentence}; the loss {_ended(course)}.",
        where=case.at_layer(layer),
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence=evidence,
        remedies=(
            "scale the initial weights down (He or Glorot; orthogonal with gain 1 for recurrent weights)",
            "clip the gradient's norm: torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
            "add a normalisation layer, or scale residual branches down",
        ),
        step=step,
    )
