"""Every layer's part in learning: how fast it learns, and what its activation and weights do to the backward signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.activations import bounded_share, dead_units, relative_slope
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.host import fetch
from unstuck.measure.norms import norms, total
from unstuck.measure.signals import Signal

_UNITS = 64


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Measure, for every layer in forward order, its learning speed and its factors of the backward product.

    With pre-activations ``z``, activations ``a = phi(z)`` and the mean loss ``C``, ``delta_j = dC/dz_j`` summed over
    examples and positions is the gradient of unit ``j``'s bias, whether the layer has a bias or not. Going back
    one layer multiplies the signal by ``slope_factor = |dC/dz| / |dC/da|`` (Frobenius norms; the activation) and by
    ``weight_factor = |dC/da| / |dC/dz of the next layer|`` (the weights between them), so that the product of all
    factors is the first layer's signal over the last one's. A layer that runs several times in a step has its deltas
    added and its other numbers averaged.

    Cost: one evaluation of about 1 gradient, and passes over the activations.

    Units: ``delta`` in loss per pre-activation; ratios, factors and shares have none.

    Source: Nielsen, Neural Networks and Deep Learning, chapter 5 (``delta``); Glorot and Bengio 2010 (saturation).

    Args:
        evaluation: The step under measurement.

    Returns:
        By layer name: ``delta``, ``delta_units`` (of at most 64 units, evenly spaced, absolute), ``units`` (how many
        there are), ``weight``, ``grad``, ``update``, ``update_ratio``, ``slope``, ``slope_factor``, ``weight_factor``,
        ``saturated``, ``dead``, ``pre_mean``, ``pre_std``, ``spread`` and ``out_spread`` (standard deviation over
        examples, root mean square over units, of pre-activation and output). None where a number does not apply.

    Raises:
        NotMeasurable: The loss does not depend on the parameters.
    """
    calls: dict[str, list[Signal]] = {}
    for signal in evaluation.signals:
        calls.setdefault(signal.layer.name, []).append(signal)
    found: dict[str, dict[str, Any]] = fetch(
        {name: _combine([_one_call(signal) for signal in group]) for name, group in calls.items()}
    )
    _add_parameter_norms(found, evaluation, calls)
    _add_factors(found)
    return found


@torch.no_grad()
def _one_call(signal: Signal) -> dict[str, Any]:
    """Return the numbers of one call, still on its device."""
    layer = signal.layer
    pre = layer.pre.detach()
    unit_dim = layer.unit_dim % pre.dim() if pre.dim() else 0
    numbers: dict[str, Any] = {
        "deltas": None if signal.pre is None else _sum_to_units(signal.pre, unit_dim),
        "signal": None if signal.pre is None else _wide(signal.pre).square().sum(),
        "behind": None if signal.output is None else _wide(signal.output).square().sum(),
        "pre_mean": _wide(pre).mean(),
        "pre_std": _wide(pre).std(correction=0),
        "spread": _spread(pre),
    }
    activation = layer.activation
    output = pre if activation is None else activation.output.detach()
    numbers["out_spread"] = _spread(output)
    if activation is not None:
        numbers["slope"] = relative_slope(activation.kind, signal.slope)
        numbers["saturated"] = bounded_share(activation.kind, output, signal.slope)
        numbers["dead"] = dead_units(activation.kind, output, unit_dim)
    return numbers


_ADDED = ("deltas", "signal", "behind")


def _combine(calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the calls of one layer as one: sums of what adds up, a unit is dead if it is in all calls, else means."""
    combined: dict[str, Any] = {}
    for key in calls[0]:
        values = [call[key] for call in calls if call.get(key) is not None]
        if not values or any(value.shape != values[0].shape for value in values):
            combined[key] = None
        elif key in _ADDED:
            combined[key] = sum(values[1:], values[0])
        elif key == "dead":
            combined[key] = torch.stack(values).all(0).float().mean()
        else:
            combined[key] = torch.stack(values).mean()
    deltas = combined.pop("deltas")
    combined["activated"] = None if "slope" not in calls[0] else True
    combined["delta"] = None if deltas is None else deltas.norm()
    combined["units"] = 0 if deltas is None else deltas.numel()
    combined["delta_units"] = None if deltas is None else _some(deltas.abs())
    return combined


def _add_parameter_norms(
    found: dict[str, dict[str, Any]], evaluation: Evaluation, calls: dict[str, list[Signal]]
) -> None:
    step = evaluation.step
    parts = {"weight": norms(step.params), "grad": norms(step.grads), "update": norms(step.updates)}
    for name, numbers in found.items():
        own = sorted({i for signal in calls[name] for i in signal.layer.parameters})
        for key, each in parts.items():
            numbers[key] = total([each[i] for i in own]) if own else None
        numbers["update_ratio"] = numbers["update"] / numbers["weight"] if numbers["weight"] else None
        matrix = next((step.params[i] for i in own if step.params[i].dim() > 1), None)
        numbers["gain"], numbers["distinct"] = (None, None) if matrix is None else _scale_and_variety(matrix)


def _scale_and_variety(matrix: Tensor) -> tuple[float | None, float | None]:
    """Return a weight's root mean square times the root of its fan-in, and how far its units differ from one another.

    The gain is 1 for LeCun's initialisation, 1.41 for He's, 0.58 for torch's default of ``nn.Linear``. The variety is
    the share of the weight's norm that is left when the mean over units is taken off: 0 where all units are the same.
    """
    rows = _wide(matrix.detach()).flatten(1)
    scale = rows.norm()
    if not bool(torch.isfinite(scale)):
        return None, None
    variety = float((rows - rows.mean(0)).norm() / scale) if len(rows) > 1 and float(scale) > 0 else None
    return float(scale) / len(rows) ** 0.5, variety


def _add_factors(found: dict[str, dict[str, Any]]) -> None:
    """Turn the squared signals on both sides of each activation into factors from layer to layer."""
    if not found:
        return
    signals = [(numbers.pop("signal"), numbers.pop("behind")) for numbers in found.values()]
    following = [signal for signal, _ in signals[1:]] + [None]
    for numbers, (signal, behind), ahead in zip(found.values(), signals, following, strict=True):
        activated = numbers.pop("activated")
        numbers["slope_factor"] = _root_ratio(signal, behind) if activated else None
        numbers["weight_factor"] = _root_ratio(behind, ahead)
        for key in ("slope", "saturated", "dead"):
            numbers.setdefault(key, None)


def _root_ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else (above / below) ** 0.5


def _wide(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _sum_to_units(tensor: Tensor, unit_dim: int) -> Tensor:
    others = [dim for dim in range(tensor.dim()) if dim != unit_dim]
    return _wide(tensor).sum(others) if others else _wide(tensor)


def _spread(tensor: Tensor) -> Tensor | None:
    """Return the standard deviation over examples, root mean square over everything else; None for one example."""
    if tensor.dim() < 2 or len(tensor) < 2:
        return None
    return _wide(tensor).var(0, correction=0).mean().sqrt()


def _some(units: Tensor) -> Tensor:
    if units.numel() <= _UNITS:
        return units
    return units[torch.linspace(0, units.numel() - 1, _UNITS, device=units.device).round().long()]
