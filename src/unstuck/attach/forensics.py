"""Where a non-finite loss came from, read off the autograd graph that is still alive when ``backward`` is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.sources import Line
from unstuck.attach.tape import Op

_NODES_AT_MOST = 20_000


def first_bad_operation(loss: Tensor) -> str | None:
    """Return the name of the earliest operation of the graph that read or gave a non-finite value.

    Autograd numbers nodes in the order in which the forward pass made them; a node keeps some of its inputs and outputs
    for the backward pass, and those are looked at.

    Args:
        loss: The tensor that ``backward`` is called on.

    Returns:
        A torch function's name such as ``"log"``; None where no kept value is non-finite.
    """
    nodes = _nodes(loss)
    for node in sorted(nodes, key=lambda n: n._sequence_nr()):
        saved = [getattr(node, name, None) for name in dir(node) if name.startswith("_saved_")]
        tensors = [v for v in saved if isinstance(v, Tensor) and v.is_floating_point()]
        if any(not bool(torch.isfinite(t).all()) for t in tensors):
            return operation_name(node)
    return None


def _nodes(loss: Tensor) -> list[Any]:
    pending, seen, nodes = [loss.grad_fn], set(), []
    while pending and len(nodes) < _NODES_AT_MOST:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "_sequence_nr") and not hasattr(node, "variable"):
            nodes.append(node)
        pending.extend(following for following, _ in node.next_functions)
    return nodes


def operation_name(node: Any) -> str:
    """Return ``log`` for a ``LogBackward0``."""
    return type(node).__name__.split("Backward")[0].lower()


def line_of_operation(name: str, ops: Sequence[Op]) -> Line | None:
    """Return the line that made the only operation of this name in an earlier step, None where it is not unique."""
    lines = {op.line for op in ops if op.name.strip("_").replace("_", "") == name.replace("_", "") and op.line}
    return lines.pop() if len(lines) == 1 else None


def non_finite(names: Sequence[str], tensors: Sequence[Tensor | None]) -> list[str]:
    """Return the names of the tensors that hold a NaN or an infinity."""
    return [n for n, t in zip(names, tensors, strict=True) if t is not None and not bool(torch.isfinite(t).all())]
