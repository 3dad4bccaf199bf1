"""Where a non-finite loss came from, read off the autograd graph that is still alive when ``backward`` is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    pending: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    nodes: list[Any] = []
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


def lines_of(ops: Sequence[Op]) -> dict[str, set[Line]]:
    """Return the lines of the program that made each operation of a step, by the name that autograd gives it."""
    lines: dict[str, set[Line]] = {}
    for op in ops:
        if op.line is not None:
            lines.setdefault(_bare(op.name), set()).add(op.line)
    return lines


def describe(
    root: Tensor, named: Sequence[tuple[str, Tensor]], lines: Mapping[str, set[Line]], walk: bool
) -> dict[str, Any]:
    """Say what can be said about a loss that is not finite.

    Args:
        root: The loss.
        named: The parameters with their names.
        lines: Lines of the operations of an earlier step, as :func:`lines_of` gives them.
        walk: Whether the graph may be looked at; where the program stores parts of it in its own way (checkpointing),
            a look would make it compute them again.

    Returns:
        The values of a ``not_finite`` event.
    """
    name = first_bad_operation(root) if walk else None
    made = lines.get(_bare(name), set()) if name else set()
    line = next(iter(made)) if len(made) == 1 else None
    bad = [n for n, p in named if not bool(torch.isfinite(p.detach()).all())]
    value = root.detach().flatten()[0].item() if root.numel() else float("nan")
    return {
        "value": "nan" if value != value else "inf",
        "operation": name,
        "file": line.file if line else None,
        "line": line.line if line else None,
        "parameters": bad[:20],
        "parameters_count": len(bad),
        "parameters_total": len(named),
    }


def _bare(name: str) -> str:
    return name.strip("_").replace("_", "")
