"""``saturated-units``: bounded activations work on their flat ends from the start, where the slope is close to zero.

Decision. A unit is saturated on an example where ``|tanh| > 0.95``, where a sigmoid lies outside [0.05, 0.95], and in
general where the slope is below a tenth of its largest. Trained networks may saturate because they have become sure; a
fault is a hidden layer that is mostly saturated in the first probes already, in a run that does not get all the way.
"""

from __future__ import annotations

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding

_SHARE = 0.6


def find(case: Case) -> Finding | None:
    """Return the finding, None where few units are saturated at the start or the run learns fully."""
    course = case.course
    if course is None or case.adversarial or (course.gain > 0.97 and not course.ends_bad):
        return None
    names = [layer.name for layer in case.layers][:-1] or [layer.name for layer in case.layers]
    shares = {name: median(case.layer_values(name, "saturated", case.early)) for name in names}
    flat = {name: value for name, value in shares.items() if value >= _SHARE}
    if not flat:
        return None
    worst = max(flat, key=lambda name: flat[name])
    layer = case.layer(worst)
    activation = (layer.activation if layer is not None else None) or "bounded"
    std = median(case.layer_values(worst, "pre_std", case.early))
    slope = median(case.layer_values(worst, "slope", case.early))
    gain = median(case.layer_values(worst, "gain", case.probes[:1]))
    why = f", because what they are given has a standard deviation of {figure(std)}" if std > 2 else ""
    weights = f" (the weights start {figure(gain)} times as large as 1/sqrt(fan-in))" if gain > 3 else ""
    left = (
        f"; their slope is {percent(min(slope, 1.0))} of its largest, so little gradient passes" if slope >= 0 else ""
    )
    return Finding(
        difficulty="saturated-units",
        role="cause",
        confidence=0.75 + 0.2 * (flat[worst] > 0.85),
        sentence=(
            f"In layer {worst}, {percent(flat[worst])} of the {activation} activations are saturated from the start"
            f"{why}{weights}{left}."
        ),
        where=case.at_layer(worst),
        cost=_cost(slope),
        evidence={"saturated share at the start, by layer": flat, "pre-activation std": std, "weight gain": gain},
        remedies=(
            "initialise the weights with standard deviation 1/sqrt(fan-in) (torch.nn.init.xavier_normal_)",
            "scale the layer's inputs to mean 0 and standard deviation 1",
            "put a normalisation layer before the activation",
        ),
        step=case.probes[0].step,
    )


def _cost(slope: float) -> Cost | None:
    """The layers below learn more slowly by the slope, or its square where the layers above do too."""
    if not 0 <= slope <= 1:
        return None
    times = max(1 / max(slope, 1e-3), 2.0)
    return Cost(times, 2.0, times * times)
