"""The network's output as a function of what it reads, played from a tape: the weights stay, the inputs are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.layers import TapeLayer
from unstuck.attach.losses import KINDS
from unstuck.attach.replay import Player
from unstuck.attach.tape import Constant, Op, Slot
from unstuck.measure.step import Response

#: Operations that join examples on purpose: similarities of a contrastive loss, messages between nodes of a graph.
_JOINING = frozenset(
    "cdist pairwise_distance cosine_similarity scatter scatter_ scatter_add scatter_add_ scatter_reduce index_add "
    "index_add_ segment_reduce sparse_mm spmm smm".split()
)
_PRODUCTS = frozenset("mm matmul __matmul__ __rmatmul__ bmm einsum addmm linear".split())
#: Operations that may run over time first and examples second.
_SEQUENCES = frozenset("lstm gru rnn_tanh rnn_relu multi_head_attention_forward scaled_dot_product_attention".split())


def read_response(player: Player, layers: Sequence[TapeLayer], params: Sequence[Tensor]) -> Response | None:
    """Return the network's output as a function of its input.

    The output is what the loss function is given, or that of the last layer where the loss is written by hand or
    compares examples with each other. The input is the first tensor of the program's data that a layer reads on the way
    there; where that holds indices, what their embedding gives.

    Args:
        player: Plays the step.
        layers: Its layers.
        params: Values of the parameters.

    Returns:
        The response, None where there is no such input or output.
    """
    last = next((layer for layer in reversed(layers) if layer.kind != "embedding"), None)
    if last is None:
        return None
    end = _given_to_loss(player.ops, last.pre)
    after = last.pre if last.post is None else last.post
    for output in dict.fromkeys((end, after, last.pre)):
        ops = _way_to(player.ops, output)
        if output == last.pre or not _compares(ops, last.pre):
            break
    first = next((layer for layer in layers if _is_first(layer) and _on(layer, ops)), None)
    if first is None:
        return None
    return _response(player, ops, first, output, params)


def _response(
    player: Player, ops: list[Op], first: TapeLayer, output: int, params: Sequence[Tensor]
) -> Response | None:
    with torch.no_grad():
        _, env = player.play(params)
    produced = first.kind == "embedding"
    given = env.get(first.pre) if produced else first.input.tensor if isinstance(first.input, Constant) else None
    value = env.get(output)
    if not isinstance(given, Tensor) or not isinstance(value, Tensor) or not given.is_floating_point():
        return None
    leaf = first.pre if produced else -1
    changed = [_quiet_norm(op if produced else _with_leaf(op, given)) for op in ops]
    changed = [op for op in changed if not (produced and first.pre in op.outputs)]
    fixed = {slot: v.detach() if isinstance(v := env.get(slot), Tensor) else v for slot in _from_outside(changed)}

    def respond(inputs: Tensor) -> Tensor:
        values: dict[int, Any] = {**fixed, leaf: inputs.clone()}
        player.run(values, changed)
        result = values[output]
        assert isinstance(result, Tensor)
        return result

    return Response(
        inputs=given.detach(),
        output=respond,
        norms=any(_uses_batch(op) for op in ops),
        joins=next((op.name for op in ops if _joins(op, int(given.shape[0]) if given.dim() else 0)), None),
        sequence=first.unit_dim == 0 or (given.dim() > 2 and any(op.name in _SEQUENCES for op in ops)),
        file=first.line.file if first.line else None,
        line=first.line.line if first.line else None,
    )


def _is_first(layer: TapeLayer) -> bool:
    if not isinstance(layer.input, Constant):
        return False
    return layer.kind == "embedding" or layer.input.tensor.is_floating_point()


def _on(layer: TapeLayer, ops: Sequence[Op]) -> bool:
    return any(layer.pre in op.outputs for op in ops)


def _given_to_loss(ops: Sequence[Op], otherwise: int) -> int:
    """Return the slot of what the only known loss function is given."""
    losses = [op for op in ops if op.name in KINDS]
    if len(losses) != 1:
        return otherwise
    given = losses[0].args[0] if losses[0].args else losses[0].kwargs.get("input")
    return given.index if isinstance(given, Slot) else otherwise


def _way_to(ops: Sequence[Op], output: int) -> list[Op]:
    """Return the operations that a value is computed from, in order."""
    wanted, kept = {output}, []
    for op in reversed(ops):
        if any(slot in wanted for slot in op.outputs if slot is not None):
            kept.append(op)
            wanted.update(op.inputs)
    return kept[::-1]


def _from_outside(ops: Sequence[Op]) -> set[int]:
    """Return the slots that are read before an operation has made them: weights, and what does not matter here."""
    outside: set[int] = set()
    made: set[int | None] = set()
    for op in ops:
        outside.update(slot for slot in op.inputs if slot not in made)
        made.update(op.outputs)
    return outside


def _compares(ops: Sequence[Op], last: int) -> bool:
    """Whether something after the last layer compares examples with each other."""
    after = {last}
    for op in ops:
        if any(slot in after for slot in op.inputs):
            if last not in op.outputs:
                after.update(slot for slot in op.outputs if slot is not None)
            if op.name in _JOINING | _PRODUCTS:
                return True
    return last not in {slot for op in ops for slot in op.outputs}


def _joins(op: Op, examples: int) -> bool:
    if op.name in _JOINING:
        return True
    if op.name not in _PRODUCTS:
        return False
    constants = [value.tensor for value in op.args if isinstance(value, Constant)]
    return any(c.layout != torch.strided or tuple(c.shape[-2:]) == (examples, examples) for c in constants)


def _uses_batch(op: Op) -> bool:
    return op.name == "batch_norm" and bool(op.kwargs.get("training", op.args[5] if len(op.args) > 5 else False))


def _quiet_norm(op: Op) -> Op:
    """Let a batch normalisation take the batch's statistics as fixed numbers: same values, no gradient through them."""
    return replace(op, func=_fixed_norm) if _uses_batch(op) else op


def _fixed_norm(
    given: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    dims = [dim for dim in range(given.dim()) if dim != 1]
    fixed = given.detach()
    mean, variance = fixed.mean(dims), fixed.var(dims, correction=0)
    return torch.nn.functional.batch_norm(given, mean, variance, weight, bias, False, momentum, eps)


def _with_leaf(op: Op, given: Tensor) -> Op:
    """Read the free input where an operation reads the program's."""

    def free(value: Any) -> Any:
        if isinstance(value, Constant):
            return Slot(-1) if _is_same(value.tensor, given) else value
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return type(value)(free(item) for item in value)
        return value

    return replace(op, args=free(op.args), kwargs={key: free(value) for key, value in op.kwargs.items()})


def _is_same(one: Tensor, other: Tensor) -> bool:
    if one is other:
        return True
    if one.shape != other.shape or one.stride() != other.stride() or one.layout != torch.strided:
        return False
    return one.data_ptr() == other.data_ptr()
