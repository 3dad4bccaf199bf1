"""Value and gradient of a step's loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.step import Step


def leaves(params: Sequence[Tensor]) -> list[Tensor]:
    """Return the same values as tensors that a gradient can be taken with respect to; ``params`` stay as they are."""
    return [param.detach().requires_grad_(True) for param in params]


def value_and_gradient(
    step: Step, params: Sequence[Tensor], *, create_graph: bool = False
) -> tuple[Tensor, list[Tensor]]:
    """Return the loss and its gradient at ``params``; parameters that the loss does not reach give zeros.

    Args:
        step: The step whose loss is meant.
        params: Where to take the gradient. With ``create_graph`` they must be :func:`leaves` that the caller keeps.
        create_graph: Whether the gradient can be differentiated again.

    Raises:
        NotMeasurable: The loss does not depend on the parameters at all.
    """
    with torch.inference_mode(False), torch.enable_grad():
        at = list(params) if create_graph else leaves(params)
        loss = step.loss(at)
        return loss, gradient(loss, at, create_graph=create_graph)


def gradient(loss: Tensor, at: Sequence[Tensor], *, create_graph: bool = False) -> list[Tensor]:
    """Return the gradient of ``loss`` with respect to the leaves ``at``, zeros where the loss does not reach one.

    Args:
        loss: A scalar.
        at: Leaves that ``loss`` may depend on.
        create_graph: Whether the gradient can be differentiated again.

    Raises:
        NotMeasurable: The loss does not depend on any tensor that needs a gradient.
    """
    if not loss.requires_grad:
        raise NotMeasurable("the loss does not depend on the parameters")
    return list(torch.autograd.grad(loss, at, create_graph=create_graph, allow_unused=True, materialize_grads=True))
