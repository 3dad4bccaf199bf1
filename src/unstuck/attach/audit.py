"""Which parameters take part: given to the optimizer, reached by the loss, with a gradient, changed by the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.capture import Capture, local, parameters_of
from unstuck.attach.modules import Modules
from unstuck.attach.replay import needed
from unstuck.attach.tape import Backward

#: Names that a list in the record holds at most; its length is recorded beside it.
_SHOWN = 20


def audit(
    capture: Capture, optimizer: Optimizer, names: Sequence[str], optimizers: Sequence[Optimizer], modules: Modules
) -> dict[str, Any]:
    """Compare what the loss was computed from with what the optimizers hold.

    Args:
        capture: The round, with the optimizer's step in it.
        optimizer: The optimizer that stepped.
        names: Names of its parameters.
        optimizers: All optimizers that are known.
        modules: The program's modules.

    Returns:
        Counts and names, and the norms of the gradients before (``stale``) and after (``raw``) the backward calls and
        at the step (``used``).
    """
    seen = capture.of(optimizer)
    mine = parameters_of(optimizer)
    held = {id(p) for other in optimizers for p in parameters_of(other)}
    reached = _reached(capture, seen.backwards)
    leaves = [leaf for leaf in capture.tape.leaves.values() if id(leaf) in reached]
    if seen.raw is not None:
        reached -= {id(p) for p, grad in zip(mine, seen.raw, strict=False) if grad is None}
    outside = [leaf for leaf in leaves if id(leaf) not in held and leaf.requires_grad and modules.is_lasting(leaf)]
    outside_names, _ = modules.names_of(outside)
    frozen = [n for n, p in zip(names, mine, strict=True) if not p.requires_grad]
    unreached = [n for n, p in zip(names, mine, strict=True) if p.requires_grad and id(p) not in reached]
    before = seen.before or []
    unchanged = [
        n
        for n, p, b in zip(names, mine, before, strict=False)
        if p.requires_grad and id(p) in reached and torch.equal(_here(p), b)
    ]
    without = [n for n, p in zip(names, mine, strict=True) if p.requires_grad and p.grad is None]
    frozen_elsewhere = sum(
        p.numel() for m in modules.alive() for p in m._parameters.values() if p is not None and not p.requires_grad
    )
    return {
        "held": len(mine),
        "held_elements": sum(p.numel() for p in mine),
        "reached": sum(id(p) in reached for p in mine),
        "outside": outside_names[:_SHOWN],
        "outside_count": len(outside),
        "outside_elements": sum(p.numel() for p in outside),
        "frozen": frozen[:_SHOWN],
        "frozen_count": len(frozen),
        "frozen_elements": frozen_elsewhere,
        "unreached": unreached[:_SHOWN],
        "unreached_count": len(unreached),
        "unreached_elements": sum(p.numel() for p in mine if p.requires_grad and id(p) not in reached),
        "unchanged": unchanged[:_SHOWN],
        "unchanged_count": len(unchanged),
        "no_gradient": without[:_SHOWN],
        "no_gradient_count": len(without),
        "stale_norm": _norm(seen.stale),
        "raw_norm": _norm(seen.raw),
        "used_norm": _norm([local(p.grad) for p in mine]),
        "others": sum(id(leaf) in held and id(leaf) not in {id(p) for p in mine} for leaf in leaves),
        "backwards": len(seen.backwards),
        "lr": [float(group.get("lr", 0.0)) for group in optimizer.param_groups],
    }


def _reached(capture: Capture, backwards: Sequence[Backward]) -> set[int]:
    """Return the ids of the leaves that these backward calls start from, as far back as a gradient flows."""
    roots = {slot for call in backwards for slot in call.roots if slot is not None}
    if not roots:
        return set()
    used = roots | {slot for op in needed(capture.tape, roots, backwards) for slot in op.inputs}
    return {id(leaf) for slot, leaf in capture.tape.leaves.items() if slot in used}


def _here(parameter: Tensor) -> Tensor:
    value = local(parameter)
    assert value is not None
    return value


def _norm(tensors: Sequence[Tensor | None] | None) -> float | None:
    if tensors is None:
        return None
    squares = [float(t.double().square().sum()) for t in tensors if t is not None]
    return float(sum(squares)) ** 0.5 if squares else None
