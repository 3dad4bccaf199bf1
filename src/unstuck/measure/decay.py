"""The race between weight decay, which shrinks a layer, and the loss, which makes it grow."""

from __future__ import annotations

from typing import Any

import torch

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.host import fetch


def measure(evaluation: Evaluation) -> dict[str, Any]:
    r"""Measure, for every layer with weight decay, how fast decay pulls its weights in and the loss pushes them out.

    Under gradient descent ``d|w|^2 / dt = -2 <w, g> - 2 <w, decay w>``: the length of ``w`` grows at the rate
    ``push = -<g, w> / <w, w>`` and shrinks at the rate ``pull = <w, decay w> / <w, w>``. Where ``pull > push`` in the
    layers of a network that has not learned, the weights, and with them the curvature that could lead away, die out
    before the loss falls. Decoupled decay has the same rates for plain descent; an adaptive optimizer scales
    ``push`` (not ``pull``) by its preconditioner.

    Cost: no gradient beyond that of the layers; one pass over the weights.

    Units: ``pull`` and ``push`` per unit of learning rate times steps; ``pull_per_step`` and ``push_per_step``
    per step; ``share`` has none.

    Source: Krogh and Hertz 1991 for decay as a linear pull; the rates follow from the equation above.

    Args:
        evaluation: The step under measurement.

    Returns:
        By layer name: ``pull``, ``push``, ``pull_per_step``, ``push_per_step`` (times the learning rate, preconditioner
        not included), and ``share`` = |decay w| / |g| of the decayed weights.

    Raises:
        NotMeasurable: There is no weight decay.
    """
    rule = evaluation.step.rule
    if not any(rule.weight_decay):
        raise NotMeasurable("there is no weight decay")
    sums: dict[str, dict[str, Any]] = {}
    for layer in evaluation.trace.layers:
        own = [i for i in layer.parameters if rule.weight_decay[i]]
        if own and layer.name not in sums:
            sums[layer.name] = _sums(evaluation, own) | {"lr": rule.lr[own[0]]}
    return {name: _rates(numbers) for name, numbers in fetch(sums).items()}


@torch.no_grad()
def _sums(evaluation: Evaluation, own: list[int]) -> dict[str, Any]:
    """Return the sums over a layer's decayed parameters that the rates are made of, still on the device."""
    step = evaluation.step
    terms = []
    for i in own:
        weight, grad = step.params[i].float().flatten(), step.grads[i].float().flatten()
        decay = step.rule.weight_decay[i]
        square = weight @ weight
        terms.append(torch.stack([square, decay * square, decay**2 * square, weight @ grad, grad @ grad]))
    names = ("square", "pulled", "pull_square", "along", "gradient")
    return dict(zip(names, torch.stack(terms).sum(0).unbind(), strict=True))


def _rates(sums: dict[str, float]) -> dict[str, float | None]:
    square, lr = sums["square"], sums["lr"]
    pull = sums["pulled"] / square if square else None
    push = -sums["along"] / square if square else None
    return {
        "pull": pull,
        "push": push,
        "pull_per_step": None if pull is None else lr * pull,
        "push_per_step": None if push is None else lr * push,
        "share": (sums["pull_square"] / sums["gradient"]) ** 0.5 if sums["gradient"] else None,
    }
