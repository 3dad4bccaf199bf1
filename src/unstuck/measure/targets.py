"""Whether the targets depend on the inputs at all, and whether they would if they were moved by one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation

#: Examples that are compared with each other at most: the cost grows with the square.
_MOST = 128
_FEWEST = 12
_PERMUTATIONS = 100
#: Gradient with respect to a later place, as a share of that with respect to the own ones, that is no rounding.
_ROUNDING = 1e-5


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return the distance correlation of inputs and targets as multiples of its spread under shuffled targets.

    Inputs are compared by Euclidean distance (features standardised), or by the share of places at which sequences of
    indices differ; targets by distance, classes by whether they differ. Under independence the ``score`` is about
    standard normal, whatever the data. It has little power against dependence that no distance shows, such as parity.
    Where every place of a sequence of indices has its own target, the mutual information of the two is taken instead.

    Costs nothing beside the replay but matrices of 128 x 128.

    Source: Szekely, Rizzo and Bakirov 2007, Annals of Statistics 35, 2769-2794, equation 2.18.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``score`` in standard deviations; ``examples``; ``moved``: the larger of the scores with the targets moved by
        one place either way; ``same``: share of places where inputs and targets are equal, for sequences of indices;
        ``ahead``: where all are, whether outputs depend on later places of the input than their own, None where that
        cannot be told; ``groups``: number of classes in the batch, None for real targets.

    Raises:
        NotMeasurable: There is no one input and target per example, or too few examples.
    """
    inputs, target = _pairs(evaluation)
    same = _same(inputs, target)
    dependence = _of_places(inputs, target) if _are_tagged(inputs, target) else _of_examples(inputs, target)
    generator = torch.Generator().manual_seed(0)
    count = len(inputs)
    shuffled = torch.tensor([dependence(torch.randperm(count, generator=generator)) for _ in range(_PERMUTATIONS)])
    mean, spread = float(shuffled.mean()), float(shuffled.std())
    if not spread > 0:
        raise NotMeasurable("all inputs or all targets of the batch are equal")
    order = torch.arange(count)
    moved = max((dependence(order.roll(by)) - mean) / spread for by in (1, -1))
    whole = not target.is_floating_point()
    return {
        "score": (dependence(order) - mean) / spread,
        "moved": moved,
        "examples": count,
        "same": same,
        "ahead": _looks_ahead(evaluation, target) if same == 1 else None,
        "groups": int(target.unique().numel()) if whole else None,
    }


def _pairs(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    inputs, heads = evaluation.step.inputs, evaluation.step.heads
    if inputs is None or len(heads) != 1:
        raise NotMeasurable("there is no single input and target of the step")
    target = heads[0].target.detach()
    inputs = inputs.detach()
    if inputs.dim() > 1 and target.dim() == 1 and len(target) in (inputs.shape[0] * inputs.shape[1], inputs.numel()):
        target = target.reshape(inputs.shape[0], -1)  # the elements of all sequences in one row
    if inputs.dim() < 1 or target.dim() < 1 or inputs.shape[0] != target.shape[0]:
        raise NotMeasurable("inputs and targets do not have the same number of examples")
    if inputs.shape[0] < _FEWEST:
        raise NotMeasurable(f"the batch has {inputs.shape[0]} examples, fewer than the {_FEWEST} that are compared")
    inputs, target = inputs[:_MOST], target[:_MOST]
    if not bool(torch.isfinite(inputs.double()).all() & torch.isfinite(target.double()).all()):
        raise NotMeasurable("inputs or targets are not finite")
    return inputs.cpu(), target.cpu()


def _are_tagged(inputs: Tensor, target: Tensor) -> bool:
    """Whether every place of a sequence of indices has a target of its own."""
    whole = not inputs.is_floating_point() and not target.is_floating_point()
    return whole and inputs.shape == target.shape and inputs.dim() == 2 and inputs.shape[1] > 1


def _of_places(inputs: Tensor, target: Tensor) -> Callable[[Tensor], float]:
    """Return the mutual information of what stands at a place and its target, as a function of the targets' order."""
    left, right = (t.unique(return_inverse=True)[1] for t in (inputs, target))
    width = int(right.max()) + 1
    size = (int(left.max()) + 1) * width

    def information(order: Tensor) -> float:
        counts = torch.bincount((left * width + right[order]).flatten(), minlength=size).double()
        # The counts of each side alone do not depend on the order.
        return float(torch.special.xlogy(counts, counts).sum())

    return information


def _of_examples(inputs: Tensor, target: Tensor) -> Callable[[Tensor], float]:
    """Return the distance covariance as a function of the targets' order."""
    a, b = _centred(_distances(_features(inputs))), _centred(_distances(_labels(target)))
    return lambda order: float((a * b[order][:, order]).sum())


def _same(inputs: Tensor, target: Tensor) -> float | None:
    if inputs.is_floating_point() or inputs.shape != target.shape:
        return None
    return float((inputs == target).double().mean())


def _looks_ahead(evaluation: Evaluation, target: Tensor) -> bool | None:
    """Return whether outputs at the first half of the places depend on inputs at the second half.

    An autoencoder's do, since all of them come from the whole; those of a network that is to predict what follows do
    not. Which dimension is time is not known: examples do not depend on each other, so any dependence is one in time.
    """
    response = evaluation.step.response()
    if response is None or not response.inputs.is_floating_point() or response.inputs.shape[:2] != target.shape:
        return None
    inputs = response.inputs.clone().requires_grad_()
    with torch.enable_grad():
        output = _by_place(response.output(inputs), target.shape)
    if output is None or not output.requires_grad:
        return None
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(output.shape, generator=generator).to(output)
    for dim in (0, 1):
        half = target.shape[dim] // 2
        if not half:
            continue
        early = (output * weights).narrow(dim, 0, half).sum()
        gradient = torch.autograd.grad(early, inputs, retain_graph=True)[0].abs()
        own, later = gradient.narrow(dim, 0, half), gradient.narrow(dim, half, target.shape[dim] - half)
        if float(later.max()) > _ROUNDING * float(own.max()):
            return True
    return False


def _by_place(output: Tensor, shape: torch.Size) -> Tensor | None:
    """Return outputs as one row per place, in the places' two dimensions; None where they are not laid out so."""
    if output.dim() == 2 and len(output) == shape.numel():
        return output.reshape(*shape, -1)
    if output.dim() == 3 and output.shape[:2] == shape:
        return output
    if output.dim() == 3 and (output.shape[0], output.shape[2]) == tuple(shape):
        return output.transpose(1, 2)
    return None


def _features(inputs: Tensor) -> Tensor:
    """Return one row of features per example: standardised numbers, or how often each index occurs."""
    flat = inputs.reshape(len(inputs), -1)
    if not inputs.is_floating_point():
        return flat
    flat = flat.double()
    deviation = flat.std(0, correction=0)
    return (flat - flat.mean(0)) / torch.where(deviation > 0, deviation, 1.0)


def _labels(target: Tensor) -> Tensor:
    flat = target.reshape(len(target), -1)
    return flat.double() if target.is_floating_point() else flat


def _distances(rows: Tensor) -> Tensor:
    if rows.is_floating_point():
        return torch.cdist(rows, rows)
    return torch.stack([(rows != row).double().mean(1) for row in rows])


def _centred(distances: Tensor) -> Tensor:
    return distances - distances.mean(0) - distances.mean(1, keepdim=True) + distances.mean()
