"""Whether the gradient that the program goes down is the gradient of its loss, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.directional import LIMIT, Check, Point
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import CustomCall, ExactStep

#: Two ratios of autograd's derivative to the true one, along independent directions, that are one factor.
_SAME = 0.01


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Compare the gradient with difference quotients of the loss in float64, along one direction per layer.

    ``error = |a - n| / max(|a|, |n|)`` with autograd's derivative ``a = <g, u>`` and the central difference
    ``n = (f(w + h u) - f(w - h u)) / 2h``, less what rounding may make of ``n``. The unit direction ``u`` of a layer
    leans towards its gradient, so that ``a`` is no small part of the gradient's norm. An error that goes as ``h``
    shrinks is a kink (a rectifier that switches); one that stays, at two points, is a wrong gradient. Then each custom
    ``autograd.Function`` is checked alone: the derivative of ``<c, F(x)>`` for a random ``c``, input by input.

    Cost: one gradient and two forwards per layer, in float64; a layer that is suspected, about twenty more. Each
    forward costs about twice the program's own (far more on a GPU that is slow in float64).

    Units: none; errors are relative.

    Source: the definition of the derivative; Griewank and Walther, *Evaluating Derivatives*, 2008, on what autograd
    computes at kinks.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``layers``: for each layer ``error`` (None where rounding hides its derivative), ``kink``, and ``ratio`` of
        autograd's derivative to the true one where it is wrong; ``wrong``: the layers whose gradient is wrong;
        ``worst`` layer and its ``error``; ``functions``: the custom functions that are wrong, with ``name``, ``file``
        and ``line`` of the call, ``error``, ``argument`` (whose gradient is wrong), ``factor`` (own gradient divided by
        the true one, where it is one number), ``flat`` (its output does not follow its input at all),
        ``identity`` (its output is its input), ``backward_file`` and ``backward_line``; ``forwards`` made.

    Raises:
        NotMeasurable: The step does not run in float64, is not finite, or is another one at every evaluation.
    """
    exact = evaluation.step.exact()
    if any(p.is_complex() for p in exact.params):
        raise NotMeasurable("a parameter is complex")
    generator = torch.Generator(device="cpu").manual_seed(evaluation.step.optimizer_step)
    point = Point(exact.loss, exact.params, generator)
    checks = {name: point.check(indices) for name, indices in exact.layers}
    if any((check.error or 0.0) > LIMIT for check in checks.values()) and point.again() != point.value:
        raise NotMeasurable("the loss is another one at every evaluation")
    forwards = point.evaluations
    suspects = [name for name, check in checks.items() if check.wrong]
    if suspects:
        second = Point(exact.loss, exact.params, generator)
        again = {name: second.check(indices) for name, indices in exact.layers if name in suspects}
        # What a kink close by looked like at one point, it does not at another.
        checks |= {name: check if check.wrong else Check(check.error, kink=True) for name, check in again.items()}
        forwards += second.evaluations
    wrong = [name for name, check in checks.items() if check.wrong]
    known = {name: check.error for name, check in checks.items() if check.error is not None}
    worst = max(wrong or known, key=lambda name: known.get(name, 0.0), default=None)
    return {
        "layers": {n: {"error": c.error, "kink": c.kink, "ratio": c.ratio} for n, c in checks.items()},
        "wrong": wrong,
        "worst": worst,
        "error": known.get(worst) if worst is not None else None,
        "functions": wrong_functions(exact, generator) if wrong else [],
        "forwards": forwards,
    }


def wrong_functions(exact: ExactStep, generator: torch.Generator) -> list[dict[str, Any]]:
    """Check the step's custom functions one by one.

    Args:
        exact: The step in float64.
        generator: Source of randomness.

    Returns:
        One entry per function whose gradient is wrong and line that calls it, the worst first.
    """
    found: dict[tuple[str, str | None, int | None], dict[str, Any]] = {}
    for call in exact.functions():
        key = (call.name, call.file, call.line)
        for entry in _wrong_arguments(call, generator):
            if key not in found or entry["error"] > found[key]["error"]:
                found[key] = entry
    return sorted(found.values(), key=lambda entry: -float(entry["error"]))


def _wrong_arguments(call: CustomCall, generator: torch.Generator) -> list[dict[str, Any]]:
    """Return an entry for each input of a call whose gradient is wrong."""
    at = [call.inputs[i] for i in call.varied]
    function, identity = _projection(call, generator)
    if not at or function is None:
        return []
    entries = []
    for position, index in enumerate(call.varied):
        try:
            point = Point(function, at, generator)
            check = point.check([position])
            if not check.wrong:
                continue
            other = Point(function, at, generator).check([position], along_gradient=False)
        except NotMeasurable:
            continue
        entries.append(
            {
                "name": call.name,
                "file": call.file,
                "line": call.line,
                "error": check.error,
                "argument": call.arguments[index],
                "factor": _factor(check, other),
                "flat": check.ratio is None,
                "identity": identity,
                "backward_file": call.backward_file,
                "backward_line": call.backward_line,
            }
        )
    return entries


def _projection(call: CustomCall, generator: torch.Generator) -> tuple[Any, bool]:
    """Return ``<c, F(x)>`` as a function of the inputs that vary, and whether F is the identity."""

    def outputs(values: Sequence[Tensor]) -> list[Tensor]:
        inputs = list(call.inputs)
        for i, value in zip(call.varied, values, strict=True):
            inputs[i] = value
        result = call.call(*inputs)
        tensors = [result] if isinstance(result, Tensor) else [t for t in result if isinstance(t, Tensor)]
        return [t for t in tensors if t.is_floating_point()]

    try:
        with torch.no_grad():
            there = outputs([call.inputs[i].clone() for i in call.varied])
    except Exception:  # whatever the user's function raises when it is called alone: then it is not judged alone
        return None, False
    lengths = [float(t.norm()) for t in there]
    # Of the order of 1, as the bound of the rounding error has it.
    weights = [
        torch.randn(t.shape, generator=generator, dtype=torch.float64).to(t.device) / (length or 1.0)
        for t, length in zip(there, lengths, strict=True)
    ]

    def function(values: Sequence[Tensor]) -> Tensor:
        # A function that writes to its input must not write to the point.
        found = outputs([value.clone() for value in values])
        return torch.stack([(t * c).sum() for t, c in zip(found, weights, strict=True)]).sum()

    identity = len(there) == 1 and any(
        call.inputs[i].shape == there[0].shape and torch.equal(call.inputs[i], there[0]) for i in call.varied
    )
    return (function if there else None), identity


def _factor(one: Check, other: Check) -> float | None:
    """Return the factor by which a gradient is off: the same along two directions that have nothing in common."""
    if one.ratio is None or other.ratio is None or not math.isclose(one.ratio, other.ratio, rel_tol=_SAME):
        return None
    return one.ratio
