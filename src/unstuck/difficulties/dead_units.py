"""``dead-units``: rectified units that give zero for every example, and so get no gradient and never come back.

Decision. A hidden layer in which nearly all units are dead (or all cut off: no gradient reaches it) on most probed
batches of a run that has not learned. A share of dead units in a network that learns is usual and no fault.
"""

from __future__ import annotations

from unstuck.difficulties.case import Case, median, share
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding

_SHARE = 0.9


def find(case: Case) -> Finding | None:
    """Return the finding, None where enough units live or the run learns."""
    course = case.course
    if course is None or course.learned or case.adversarial:
        return None
    worst: tuple[float, str] | None = None
    for layer in case.layers[:-1]:
        if layer.kind == "embedding":
            continue
        dead = case.layer_values(layer.name, "dead")
        if len(dead) >= 2 and share(d >= _SHARE for d in dead[len(dead) // 3 :]) > 0.6:
            worst = max(worst or (0.0, ""), (median(dead[len(dead) // 3 :]), layer.name))
    if worst is None:
        return None
    value, name = worst
    at_start = median(case.layer_values(name, "dead", case.probes[:1]))
    from_start = at_start >= 0.8 * value
    mean, std = (median(case.layer_values(name, key, case.probes[:1])) for key in ("pre_mean", "pre_std"))
    when = (
        " from the first step on"
        if from_start
        else f" (at the first step: {percent(at_start)})"
        if at_start >= 0
        else ""
    )
    spread = f", standard deviation {figure(std)}" if std >= 0 else ""
    why = f"; what they add up starts with mean {figure(mean)}{spread}" if mean == mean and from_start else ""
    first = next(
        (p for p in case.probes if (p.m.get("layers", {}).get(name, {}).get("dead") or 0) >= _SHARE),
        None,
    )
    return Finding(
        difficulty="dead-units",
        role="cause",
        confidence=0.9 if from_start else 0.75,
        sentence=(
            f"In layer {name}, {percent(value)} of the units are dead{when}: they give 0 for every example of a batch, "
            f"so no gradient passes them{why}."
        ),
        where=case.at_layer(name),
        cost=Cost(float("inf"), 2.0, float("inf")),
        evidence={"dead share": value, "dead share at the first step": at_start, "pre-activation mean": mean},
        remedies=(
            "initialise biases with 0 and weights after He (torch.nn.init.kaiming_normal_)",
            "lower the learning rate if units die during training",
            "use leaky_relu, elu or gelu",
        ),
        step=first.step if first is not None else None,
    )
