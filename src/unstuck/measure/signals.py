"""The backward signal at every layer: the gradient of the loss on both sides of each activation, and its slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.step import Activation, LayerTrace, Trace


@dataclass(frozen=True)
class Signal:
    """The backward signal at one call of a layer.

    Attributes:
        layer: The layer as traced.
        pre: Gradient of the loss with respect to the pre-activation ``z``; None where none reaches it.
        output: Gradient with respect to the activation ``a``, equal to ``pre`` where there is none.
        slope: ``da/dz`` of an elementwise activation, else None.
    """

    layer: LayerTrace
    pre: Tensor | None
    output: Tensor | None
    slope: Tensor | None


def signals(trace: Trace, at: Sequence[Tensor]) -> list[Signal]:
    """Return the backward signal at every traced layer, by one backward pass and one cheap one per activation.

    Args:
        trace: The traced evaluation, graph included; it is kept.
        at: Parameters at which it was taken, kept alive for the graph.

    Returns:
        One signal per entry of ``trace.layers``.

    Raises:
        NotMeasurable: The loss does not depend on anything.
    """
    del at
    if not trace.loss.requires_grad:
        raise NotMeasurable("the loss does not depend on the parameters")
    pre = [layer.pre for layer in trace.layers]
    outputs = [layer.activation.output if layer.activation else layer.pre for layer in trace.layers]
    wanted = [tensor for tensor in (*pre, *outputs) if tensor.requires_grad]
    with torch.inference_mode(False):
        found = iter(torch.autograd.grad(trace.loss, wanted, retain_graph=True, allow_unused=True) if wanted else ())
        gradients = [next(found) if tensor.requires_grad else None for tensor in (*pre, *outputs)]
        slopes = [_slope(layer.pre, layer.activation) for layer in trace.layers]
    half = len(pre)
    return [
        Signal(layer, gradient, behind, slope)
        for layer, gradient, behind, slope in zip(trace.layers, gradients[:half], gradients[half:], slopes, strict=True)
    ]


def _slope(pre: Tensor, activation: Activation | None) -> Tensor | None:
    """Return ``da/dz`` at every element: for an elementwise function, the gradient of the sum of its outputs."""
    if activation is None or activation.kind in _NOT_ELEMENTWISE or not activation.output.requires_grad:
        return None
    output = activation.output
    if output.shape != pre.shape or not pre.requires_grad:
        return None
    return torch.autograd.grad(output, pre, torch.ones_like(output), retain_graph=True, allow_unused=True)[0]


_NOT_ELEMENTWISE = frozenset({"softmax", "log_softmax", "softmin", "glu", "maxout", "normalize"})
