"""Whether the examples of a batch are kept apart: what one of them gets must not depend on the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import Response

#: Two random halves of the batch tell three pairs of four apart.
_PROJECTIONS = 2
#: Gradient with respect to another example, as a share of that with respect to the own one, that is no rounding.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-5}
_COARSE = 0.02


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return the largest gradient of one example's output with respect to another example's input.

    The outputs of a random half of the batch, weighted at random, are summed; the gradient of the sum with respect to
    the inputs of the other half is 0 where examples are kept apart. What couples examples by mistake: a reshape that
    mixes them, a softmax over the batch, a normalisation by the batch's own mean. Batch normalisation does so on
    purpose: its statistics are taken as fixed, and ``norms`` says that it is there.

    Only the network's output counts. A contrastive loss compares examples, and may.

    Costs a few gradients with respect to the inputs.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``leaks``; ``largest`` (relative to the typical gradient with respect to the own input); ``example``: the pair
        ``[i, j]`` whose output ``i`` depends most on input ``j``, None where none does; ``norms``; ``examples``;
        ``file`` and ``line`` of the call of the first layer.

    Raises:
        NotMeasurable: There is no such input or output, the batch has one example, or examples are joined on purpose.
    """
    response = evaluation.step.response()
    if response is None:
        raise NotMeasurable("the network's output is no function of a single tensor of numbers")
    found = [(_coupling(view), view) for view in _views(response)]
    if not found:
        raise NotMeasurable("the batch has one example, or none that can be told from each other in the output")
    coupling, view = min(found, key=lambda pair: pair[0][0])
    limit = _ROUNDING.get(response.inputs.dtype, _COARSE)
    leaks = coupling[0] > limit
    if leaks and response.joins is not None:
        raise NotMeasurable(f"examples are joined on purpose, it seems, by '{response.joins}'")
    return {
        "leaks": leaks,
        "largest": coupling[0],
        "example": _pair(view, coupling[1], coupling[2]) if leaks else None,
        "norms": response.norms,
        "examples": view.examples,
        "file": response.file,
        "line": response.line,
    }


@dataclass(frozen=True)
class _View:
    """One way to tell the examples apart in input and output.

    Attributes:
        examples: Their number.
        inputs: The network's input.
        dim: Dimension of it that counts examples.
        output: The output as ``[examples, ...]``, at an input.
    """

    examples: int
    inputs: Tensor
    dim: int
    output: Callable[[Tensor], Tensor]


def _views(response: Response) -> Iterator[_View]:
    """Yield the ways in which the examples may lie.

    Where a program puts them is not known: along the first dimension of the input, or the second of a sequence; in the
    output as well, or example by example in a flattened one. If one way keeps them apart, they are.
    """
    with torch.no_grad():
        shape = response.output(response.inputs).shape
    for dim in (0, 1) if response.sequence else (0,):
        if response.inputs.dim() <= dim or (examples := response.inputs.shape[dim]) < 2:
            continue
        for arrange in _arrangements(shape, examples):
            yield _View(examples, response.inputs, dim, lambda x, a=arrange: a(response.output(x)))  # type: ignore[misc]


def _arrangements(shape: torch.Size, examples: int) -> Iterator[Callable[[Tensor], Tensor]]:
    if len(shape) > 0 and shape[0] == examples:
        yield lambda y: y.flatten(1) if y.dim() > 1 else y.unsqueeze(1)
    elif len(shape) > 0 and shape[0] % examples == 0 and shape[0]:
        yield lambda y: y.reshape(examples, -1)
        yield lambda y: y.reshape(y.shape[0] // examples, examples, -1).transpose(0, 1).flatten(1)
    if len(shape) > 1 and shape[1] == examples and shape[0] != examples:
        yield lambda y: y.transpose(0, 1).flatten(1)


def _gradient(view: _View, chosen: Tensor, weights: Tensor) -> Tensor:
    """Return the norm per example of the gradient of the chosen examples' weighted outputs."""
    with torch.inference_mode(False), torch.enable_grad():
        at = view.inputs.detach().clone().requires_grad_()
        output = view.output(at)
        total = (output * (weights * chosen.unsqueeze(1)).to(output.dtype)).sum()
        (slope,) = torch.autograd.grad(total, [at], allow_unused=True, materialize_grads=True)
    norms: Tensor = slope.double().movedim(view.dim, 0).flatten(1).norm(dim=1)
    return norms


def _weights(view: _View, generator: torch.Generator) -> Tensor:
    with torch.no_grad():
        like = view.output(view.inputs)
    return torch.randn(like.shape, generator=generator).to(like.device)


def _coupling(view: _View) -> tuple[float, Tensor, Tensor]:
    """Return the largest relative gradient across the halves, the norms, and the half whose outputs were summed."""
    generator = torch.Generator().manual_seed(0)
    worst: tuple[float, Tensor, Tensor] | None = None
    for _ in range(_PROJECTIONS):
        weights = _weights(view, generator)
        order = torch.randperm(view.examples, generator=generator)
        half = torch.zeros(view.examples, device=view.inputs.device)
        half[order[: view.examples // 2].to(half.device)] = 1.0
        for chosen in (half, 1 - half):
            norms = _gradient(view, chosen, weights)
            own = norms[chosen > 0]
            typical = float(own[own > 0].median()) if bool((own > 0).any()) else 0.0
            if not bool(torch.isfinite(norms).all()) or typical == 0:
                continue
            largest = float(norms[chosen == 0].max()) / typical
            if worst is None or largest > worst[0]:
                worst = (largest, norms, chosen)
    if worst is None:
        raise NotMeasurable("the output does not depend on the input, or its gradient is not finite")
    return worst


def _pair(view: _View, norms: Tensor, chosen: Tensor) -> list[int]:
    """Return the example ``i`` whose output depends on the input ``j`` that the summed half depends on most."""
    j = int((norms * (chosen == 0)).argmax())
    weights = _weights(view, torch.Generator().manual_seed(0))
    candidates = torch.nonzero(chosen > 0).flatten()
    while len(candidates) > 1:
        halves = candidates[: len(candidates) // 2], candidates[len(candidates) // 2 :]
        sizes = []
        for half in halves:
            only = torch.zeros_like(chosen)
            only[half] = 1.0
            sizes.append(float(_gradient(view, only, weights)[j]))
        candidates = halves[0] if sizes[0] >= sizes[1] else halves[1]
    return [int(candidates[0]), j]
