"""Where the first NaN or infinity of a step arose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.norms import norms
from unstuck.measure.signals import Signal
from unstuck.measure.step import Step

_Place = tuple[str, str | None, Tensor]  # where, layer or parameter, the tensor itself


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Find the first tensor with a NaN or an infinity, in the order in which the step computes them.

    The order is: parameters as the step found them, each layer's input, pre-activation and activation in forward
    order, the loss, the gradients of activations and pre-activations in backward order, the parameters'
    gradients, the gradients that the optimizer used, the update. What stands first is to blame: a layer whose input was
    already not finite did not cause it.

    Cost: one pass over the parameters where all is well; else about 1 gradient more.

    Units: none.

    Source: the order of evaluation itself.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``where``: ``parameter``, ``input``, ``layer``, ``activation``, ``loss``, ``backward``, ``gradient``,
        ``used_gradient`` or ``update``, None where every value is finite; ``layer`` or ``parameter``: its name;
        ``kind``: ``nan`` or ``inf``; ``share`` of its elements that are not finite; ``parameters_finite`` and
        ``loss_finite``. ``file`` and ``line`` are None: the record knows them by layer.
    """
    first = None
    if not _all_finite(evaluation):
        first = next((place for place in _places(evaluation) if not _is_finite(place[2])), None)
    where, name, tensor = first or (None, None, None)
    of_parameter = where in ("parameter", "gradient", "used_gradient", "update")
    return {
        "where": where,
        "layer": None if of_parameter else name,
        "parameter": name if of_parameter else None,
        "kind": None if tensor is None else "nan" if bool(tensor.isnan().any()) else "inf",
        "share": None if tensor is None else float((~tensor.isfinite()).float().mean()),
        "parameters_finite": all(map(_is_finite, evaluation.step.params)),
        "loss_finite": _is_number(evaluation.loss),
        "file": None,
        "line": None,
    }


def _all_finite(evaluation: Evaluation) -> bool:
    step = evaluation.step
    lists = (step.params, step.grads, step.real_grads, step.updates)
    return _is_number(evaluation.loss) and all(map(_is_number, (norm for tensors in lists for norm in norms(tensors))))


def _places(evaluation: Evaluation) -> Iterator[_Place]:
    """Yield what the step computes, in its order."""
    step = evaluation.step
    yield from _named("parameter", step.names, step.params)
    try:
        trace = evaluation.trace
    except Exception as error:  # whatever the program raises on such values, the rest can still be seen
        if isinstance(error, torch.OutOfMemoryError):
            raise
        yield ("loss", None, torch.tensor(evaluation.loss))
    else:
        for layer in trace.layers:
            if layer.input is not None:
                yield ("input", layer.name, layer.input)
            yield ("layer", layer.name, layer.pre)
            if layer.activation is not None:
                yield ("activation", layer.name, layer.activation.output)
        yield ("loss", None, trace.loss)
        yield from _backward(evaluation)
    yield from _after(step)


def _backward(evaluation: Evaluation) -> Iterator[_Place]:
    try:
        signals: Sequence[Signal] = evaluation.signals
    except NotMeasurable:
        return
    for signal in reversed(signals):
        for gradient in (signal.output, signal.pre):
            if gradient is not None:
                yield ("backward", signal.layer.name, gradient)


def _after(step: Step) -> Iterator[_Place]:
    yield from _named("gradient", step.names, step.grads)
    yield from _named("used_gradient", step.names, step.real_grads)
    yield from _named("update", step.names, step.updates)


def _named(where: str, names: Iterable[str], tensors: Iterable[Tensor]) -> Iterator[_Place]:
    for name, tensor in zip(names, tensors, strict=True):
        yield (where, name, tensor)


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.detach().isfinite().all())


def _is_number(value: float) -> bool:
    return value - value == 0
