"""Reading off a tape where the network's outputs meet the targets: the loss, known or written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.calls import storage_of
from unstuck.attach.layers import ACTIVATIONS, TapeLayer
from unstuck.attach.losses import bind_loss
from unstuck.attach.tape import Constant, Op, Slot
from unstuck.measure.step import Head, Link

#: Operations that only move elements, or change their type.
_SHAPES = frozenset(
    "view reshape flatten squeeze unsqueeze contiguous float double to half bfloat16 permute transpose t movedim clone "
    "__getitem__ unbind stack cat".split()
)
#: Differences, as torch names them: of ``a - b``, ``a.sub(b)``, ``b - a`` with a plain ``b``.
_DIFFERENCES = frozenset("sub __sub__ __rsub__ rsub subtract".split())
#: What makes a squared or an absolute error of a difference.
_ERRORS = {
    **dict.fromkeys("pow __pow__ square mul __mul__ norm".split(), "squared error"),
    **dict.fromkeys("abs __abs__ absolute".split(), "absolute error"),
}
#: What takes one score per example.
_PICKS = frozenset("gather take_along_dim __getitem__".split())
#: Operations between the last layer and the loss that are looked through at most.
_FAR = 16


def read_heads(
    ops: Sequence[Op], env: dict[int, Any], layers: Sequence[TapeLayer], cast: Set[int] = frozenset()
) -> list[Head]:
    """Find the places where outputs meet targets.

    A call of a known loss function is one; and so is a difference of something that the last layer leads to and a
    tensor of the program's data, if a square or an absolute value follows.

    Args:
        ops: Operations that the loss is computed from, in order.
        env: Values of their slots.
        layers: The layers among them.
        cast: Memory of numbers that were cast from whole ones.

    Returns:
        The heads, in order.
    """
    way = _Way(ops, layers)
    heads = [head for op in ops if (head := _known(op, env, way)) is not None]
    if heads:
        heads += [head for op in ops if (head := _by_hand(op, env, way)) is not None]
    else:
        heads = [head for op in ops if (head := _by_hand(op, env, way) or _picked(op, env, way)) is not None]
    if not heads:
        # Last, for outputs may be multiplied with data on purpose before they are compared: amplitudes with a basis.
        heads = [head for op in ops if (head := _blown_up(op, env, way)) is not None]
    return [replace(head, whole=storage_of(head.target) in cast) for head in heads]


def _blown_up(op: Op, env: dict[int, Any], way: _Way) -> Head | None:
    """Return a product of outputs and data of other shapes: it is noted only because both were blown up."""
    if op.name not in ("mul", "__mul__", "__rmul__") or len(op.args) < 2:
        return None
    slots = [a for a in op.args[:2] if isinstance(a, Slot)]
    data = [a for a in op.args[:2] if isinstance(a, Constant)]
    if len(slots) != 1 or len(data) != 1 or not way.follows_last(slots[0].index):
        return None
    prediction, target = env.get(slots[0].index), data[0].tensor
    if not isinstance(prediction, Tensor) or prediction.dim() == target.dim() or target.dim() == 0:
        return None
    wide = _broadcast(prediction, target)
    return None if wide is None else _head(op, "product", prediction, target, {}, way.back(slots[0].index), wide)


def _picked(op: Op, env: dict[int, Any], way: _Way) -> Head | None:
    """Return a log-likelihood that is written by hand: the scores of the right classes are picked out."""
    if op.name not in _PICKS or not op.args or not isinstance(op.args[0], Slot):
        return None
    prediction, index = env.get(op.args[0].index), _index_of(op)
    if index is None or not isinstance(prediction, Tensor) or not way.follows_last(op.args[0].index):
        return None
    if prediction.dim() < 2 or index.is_floating_point() or index.numel() < 2 or index.dtype == torch.bool:
        return None
    dim = op.kwargs.get("dim", op.args[1] if op.name != "__getitem__" and len(op.args) > 1 else -1)
    options: dict[str, object] = {"dim": dim if isinstance(dim, int) else -1}
    return _head(op, "log-likelihood", prediction, index.flatten(), options, way.back(op.args[0].index), None)


def _index_of(op: Op) -> Tensor | None:
    if op.name == "__getitem__":
        place = op.args[1] if len(op.args) > 1 else None
        parts = place if isinstance(place, tuple) else ()
        data = [part.tensor for part in parts if isinstance(part, Constant)]
        return data[1] if len(data) == 2 and data[0].shape == data[1].shape else None
    index = op.args[2] if len(op.args) > 2 else op.kwargs.get("index", op.kwargs.get("indices"))
    return index.tensor if isinstance(index, Constant) else None


def _known(op: Op, env: dict[int, Any], way: _Way) -> Head | None:
    bound = bind_loss(op, env)
    if bound is None:
        return None
    prediction, target, options = bound
    frozen = op.args[0] if op.args else op.kwargs.get("input")
    links = way.back(frozen.index) if isinstance(frozen, Slot) else []
    wide = _broadcast(prediction, target) if op.name in _ELEMENTWISE else None
    return _head(op, op.name, prediction, target, options, links, wide)


#: Loss functions that compare element by element.
_ELEMENTWISE = frozenset("mse_loss l1_loss smooth_l1_loss huber_loss".split())


def _by_hand(op: Op, env: dict[int, Any], way: _Way) -> Head | None:
    if op.name not in _DIFFERENCES or len(op.args) < 2 or not op.outputs or op.outputs[0] is None:
        return None
    slots = [a for a in op.args[:2] if isinstance(a, Slot)]
    data = [a for a in op.args[:2] if isinstance(a, Constant)]
    if len(slots) != 1 or len(data) != 1 or data[0].tensor.numel() < 2 or not way.follows_last(slots[0].index):
        return None
    error = way.error_after(op.outputs[0])
    prediction = env.get(slots[0].index)
    if error is None or not isinstance(prediction, Tensor):
        return None
    target = data[0].tensor
    links = way.back(slots[0].index)
    return _head(op, error, prediction, target, {}, links, _broadcast(prediction, target))


def _head(
    op: Op,
    kind: str,
    prediction: Tensor,
    target: Tensor,
    options: dict[str, object],
    links: list[Link],
    broadcast: list[int] | None,
) -> Head:
    line = op.line
    at = (line.file, line.line) if line else (None, None)
    return Head(kind, prediction.detach(), target.detach(), options, tuple(links), broadcast, *at)


def _broadcast(prediction: Tensor, target: Tensor) -> list[int] | None:
    """Return the common shape where neither of the two has it: both were blown up."""
    try:
        common = torch.broadcast_shapes(prediction.shape, target.shape)
    except RuntimeError:
        return None
    return None if common in (prediction.shape, target.shape) else list(common)


class _Way:
    """The way from the last layer to the loss."""

    def __init__(self, ops: Sequence[Op], layers: Sequence[TapeLayer]) -> None:
        self._made: dict[int, Op] = {}
        self._readers: dict[int, list[Op]] = {}
        for op in ops:
            for slot in op.outputs:
                if slot is not None:
                    self._made.setdefault(slot, op)
            for slot in set(op.inputs):
                self._readers.setdefault(slot, []).append(op)
        self._pres = {layer.pre for layer in layers}
        last = next((layer.pre for layer in reversed(layers) if layer.kind != "embedding"), None)
        self._after = set() if last is None else {last}
        for op in ops:
            if any(slot in self._after for slot in op.inputs):
                self._after.update(slot for slot in op.outputs if slot is not None)

    def follows_last(self, slot: int) -> bool:
        """Whether a value comes from the last layer."""
        return slot in self._after

    def back(self, slot: int) -> list[Link]:
        """Return the nonlinearities between the nearest layer and a value, the last one first."""
        links = []
        direct = True
        for op in self._up(slot):
            name = ACTIVATIONS.get(op.name)
            if name is not None and name not in ("clamp", "clamp_min"):
                line = op.made or op.line
                dim = _dimension(op)
                links.append(Link(name, dim, direct, line.file if line else None, line.line if line else None))
            elif op.name not in _SHAPES:
                direct = False
        return links

    def _up(self, slot: int) -> Iterator[Op]:
        for _ in range(_FAR):
            op = self._made.get(slot)
            if op is None or slot in self._pres:
                return
            yield op
            nearer = [s for s in op.inputs if s in self._made]
            if not nearer:
                return
            slot = next((s for s in nearer if s in self._after), nearer[0])

    def error_after(self, slot: int) -> str | None:
        """Return what kind of error follows a difference."""
        for _ in range(3):
            readers = self._readers.get(slot, [])
            for op in readers:
                if op.name in _ERRORS and (op.name not in ("mul", "__mul__") or op.inputs.count(slot) > 1):
                    if op.name in ("pow", "__pow__") and not _is_two(op):
                        continue
                    return _ERRORS[op.name]
            if len(readers) != 1 or not readers[0].outputs or readers[0].outputs[0] is None:
                return None
            slot = readers[0].outputs[0]
        return None


def _is_two(op: Op) -> bool:
    exponent = op.args[1] if len(op.args) > 1 else op.kwargs.get("exponent")
    return isinstance(exponent, (int, float)) and exponent == 2


def _dimension(op: Op) -> int | None:
    if op.name not in ("softmax", "log_softmax"):
        return None
    dim = op.kwargs.get("dim", op.args[1] if len(op.args) > 1 else None)
    return dim if isinstance(dim, int) else None
