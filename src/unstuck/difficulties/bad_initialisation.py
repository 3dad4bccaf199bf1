"""``bad-initialisation``: the first weights make all units alike, cut the signal off, or blow it up.

Decision, at the first probe. (1) Symmetry: the units of a hidden layer have the same weights (also all zero), and have
them still at the next probe: they get the same gradient and stay one unit. (2) Scale: the weights of hidden layers lie
far from ``1/sqrt(fan-in)``, and the loss starts far above that of the best constant prediction. Named where the run has
not learned, or has lost much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding

#: Root mean square weight times root fan-in: 0.58 in torch's default, 1.41 for He.
_LARGE, _SMALL = 5.0, 0.03
_ALIKE = 1e-3
_START = 5.0
#: Gradient norm times weight norm of a layer, in units of the loss at a constant prediction (sound layers: below 100).
_PULL = 300.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where the first weights are sound or the run learned."""
    course = case.course
    if course is None or case.adversarial or not case.probes or case.probes[0].step > 2:
        return None
    first = case.probes[0].m.get("layers", {})
    hidden = [layer for layer in case.layers if len(layer.shape) > 1 and layer.kind in ("linear", "conv", "recurrent")]
    if course.learned and not course.ends_bad and course.gain > 0.6:
        return None
    for layer in hidden[:-1]:
        numbers = first.get(layer.name, {})
        gain, distinct = numbers.get("gain"), numbers.get("distinct")
        if layer.shape[0] > 1 and _is_alike(numbers) and _stays_alike(case, layer.name):
            what = "all zero" if gain == 0 else "the same for every unit"
            return _finding(
                case,
                layer.name,
                f"The weights of layer {layer.name} start {what}: its {layer.units} units get the same gradient, "
                f"and go on as if they were one",
                "initialise the weights at random: torch.nn.init.kaiming_normal_(layer.weight)",
                {"weight gain": gain, "share of the weights that differs between units": distinct},
                0.95,
            )
    gains = {layer.name: first.get(layer.name, {}).get("gain") for layer in hidden}
    large = {n: g for n, g in gains.items() if g is not None and g > _LARGE}
    small = {n: g for n, g in gains.items() if g is not None and g < _SMALL}
    above = course.start / course.reference if course.reference > 0 else float("nan")
    if large and (above > _START or _swamped(first, large)):
        worst = max(large, key=lambda n: large[n])
        return _finding(
            case,
            worst,
            f"The weights of layer {worst} start {figure(large[worst])} times as large as 1/sqrt(fan-in), the size at "
            f"which a layer passes its signal on; the first loss is {figure(course.start, 3)}{_against(above)}",
            "initialise with standard deviation sqrt(2 / fan-in) for relu (kaiming_normal_), sqrt(1 / fan-in) for tanh",
            {"weight gain by layer": gains, "loss at the start / constant": above},
            0.85,
        )
    if small and len(small) >= max(1, len(hidden) - 1) and course.flat:
        worst = min(small, key=lambda n: small[n])
        return _finding(
            case,
            worst,
            f"The weights of layer {worst} start {figure(1 / max(small[worst], 1e-12))} times smaller than "
            f"1/sqrt(fan-in): what the network reads hardly reaches its output",
            "initialise with standard deviation sqrt(2 / fan-in) for relu (kaiming_normal_), sqrt(1 / fan-in) for tanh",
            {"weight gain by layer": gains},
            0.8,
        )
    return None


def _against(above: float) -> str:
    return f", {figure(above)} times that of the best constant prediction" if np.isfinite(above) else ""


def _is_alike(numbers: dict[str, Any]) -> bool:
    """Return whether all units of a layer have the same weights."""
    gain, distinct = numbers.get("gain"), numbers.get("distinct")
    return gain == 0 or (distinct is not None and distinct < _ALIKE)


def _stays_alike(case: Case, name: str) -> bool:
    """Return whether a layer's units go on as one after the first step.

    A layer that starts at 0 before others that do not (the end of a residual branch, an adapter) is told apart by its
    first gradient.
    """
    later = [p.m["layers"][name] for p in case.probes[1:] if name in p.m.get("layers", {})]
    return not later or _is_alike(later[0])


def _swamped(first: dict[str, dict[str, float]], large: dict[str, float]) -> bool:
    stds = [first[n].get("pre_std") for n in large]
    return any(s is not None and s > 30 for s in stds) or any(_pull(first[n]) > _PULL for n in large)


def _pull(numbers: dict[str, float]) -> float:
    """Return gradient norm times weight norm: how much the loss would change if the weights changed by their size."""
    gradient, weight = numbers.get("grad"), numbers.get("weight")
    return float("nan") if gradient is None or weight is None else float(gradient) * float(weight)


def _finding(
    case: Case, layer: str, sentence: str, remedy: str, evidence: dict[str, object], confidence: float
) -> Finding:
    course = case.course
    assert course is not None
    return Finding(
        difficulty="bad-initialisation",
        role="cause",
        confidence=confidence,
        sentence=sentence + ".",
        where=case.at_layer(layer),
        cost=Cost(float("inf"), 2.0, float("inf")) if not course.learned else Cost(3.0, 1.5, 30.0),
        evidence=evidence,
        remedies=(remedy, "leave torch's default initialisation in place"),
        step=0,
    )
