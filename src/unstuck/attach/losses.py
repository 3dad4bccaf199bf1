"""Reading the loss off a tape: which known loss function was called on what."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unstuck.attach.replay import thaw
from unstuck.attach.tape import Op
from unstuck.measure.step import LossCall

_LOSSES = {
    name: inspect.signature(getattr(F, name))
    for name in (
        "cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits mse_loss l1_loss smooth_l1_loss "
        "huber_loss kl_div poisson_nll_loss gaussian_nll_loss soft_margin_loss multi_margin_loss "
        "multilabel_margin_loss multilabel_soft_margin_loss hinge_embedding_loss"
    ).split()
}
#: Names of the loss functions that are known.
KINDS = frozenset(_LOSSES)


def bind_loss(op: Op, env: dict[int, Any]) -> tuple[Tensor, Tensor, dict[str, object]] | None:
    """Return prediction, target and options of a call of a known loss function, None where it is none.

    Args:
        op: An operation of the tape.
        env: Values of the slots.
    """
    signature = _LOSSES.get(op.name)
    if signature is None:
        return None
    try:
        given = dict(signature.bind(*thaw(op.args, env), **thaw(op.kwargs, env)).arguments)
    except TypeError:
        return None
    prediction, target = given.pop("input", None), given.pop("target", None)
    if not isinstance(prediction, Tensor) or not isinstance(target, Tensor):
        return None
    return prediction, target, given


def read_losses(ops: Sequence[Op], env: dict[int, Any], total: Tensor) -> list[LossCall]:
    """Return the calls of known loss functions among the operations of a step.

    Args:
        ops: Operations in order.
        env: Values of their slots in one evaluation, still connected.
        total: The step's loss in that evaluation.

    Returns:
        The calls whose value enters the total, with the weight with which it does (0 never occurs).
    """
    calls = []
    for op in ops:
        bound = bind_loss(op, env)
        if bound is None or not op.outputs or op.outputs[0] is None:
            continue
        value = env[op.outputs[0]]
        share: Tensor | None = torch.autograd.grad(total, [value], retain_graph=True, allow_unused=True)[0]
        if share is None:
            continue
        prediction, target, given = bound
        line = op.line
        calls.append(
            LossCall(
                op.name,
                prediction.detach(),
                target.detach(),
                given,
                float(share.sum() if value.dim() == 0 else share.mean()),
                line.file if line else None,
                line.line if line else None,
            )
        )
    return calls
