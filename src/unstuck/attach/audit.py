"""Which parameters take part: given to the optimizer, reached by the loss, with a gradient, changed by the step."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.calls import storage_of
from unstuck.attach.capture import Capture, local, parameters_of
from unstuck.attach.modules import Modules
from unstuck.attach.replay import constants_in, needed
from unstuck.attach.sources import Line
from unstuck.attach.tape import Backward, Op, Tape

#: Names that a list in the record holds at most; its length is recorded beside it.
_SHOWN = 20
#: The same line cuts the graph so often in one step where a loop over time does it.
_TIMES = 3


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
    modules.trained.update(storage_of(p) for p in mine if p.requires_grad)
    held = {id(p) for other in optimizers for p in parameters_of(other)}
    roots, ops = _behind(capture, seen.backwards)
    reached = _reached(capture.tape, roots, ops)
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
        "frozen_used_elements": _frozen_in_use(capture.tape, ops, modules),
        # Its files are read without torch.load; who imports it is likely to read one.
        "loaded": modules.loaded or "safetensors" in sys.modules,
        "unreached": unreached[:_SHOWN],
        "unreached_count": len(unreached),
        "unreached_elements": sum(p.numel() for p in mine if p.requires_grad and id(p) not in reached),
        "unchanged": unchanged[:_SHOWN],
        "unchanged_count": len(unchanged),
        "no_gradient": without[:_SHOWN],
        "no_gradient_count": len(without),
        "cut": _cut(capture, seen.backwards, mine, names, reached),
        "stale_norm": _norm(seen.stale),
        "raw_norm": _norm(seen.raw),
        "used_norm": _norm([local(p.grad) for p in mine]),
        "others": sum(id(leaf) in held and id(leaf) not in {id(p) for p in mine} for leaf in leaves),
        "backwards": len(seen.backwards),
        "lr": [float(group.get("lr", 0.0)) for group in optimizer.param_groups],
    }


def _behind(capture: Capture, backwards: Sequence[Backward]) -> tuple[set[int], list[Op]]:
    """Return the slots that these backward calls were made on, and the operations that gradients flow through."""
    roots = {slot for call in backwards for slot in call.roots if slot is not None}
    return roots, list(needed(capture.tape, roots, backwards)) if roots else []


def _reached(tape: Tape, roots: set[int], ops: Sequence[Op]) -> set[int]:
    """Return the ids of the leaves that gradients reach."""
    used = roots | {slot for op in ops for slot in op.inputs}
    return {id(leaf) for slot, leaf in tape.leaves.items() if slot in used}


def _frozen_in_use(tape: Tape, ops: Sequence[Op], modules: Modules) -> int:
    """Return how many frozen weights the loss was computed with that were never seen to be trained."""
    frozen = {
        storage_of(p): p.numel()
        for m in modules.alive()
        for p in m._parameters.values()
        if p is not None and not p.requires_grad and storage_of(p) not in modules.trained
    }
    if not frozen or not ops:
        return 0
    used = {storage_of(constant.tensor) for op in ops for constant in constants_in((op.args, op.kwargs))}
    return sum(count for place, count in frozen.items() if place in used or place in tape.frozen)


def _cut(
    capture: Capture, backwards: Sequence[Backward], mine: Sequence[Tensor], names: Sequence[str], reached: set[int]
) -> dict[str, Any] | None:
    """Return where the graph between weights and the loss is cut, None where it is whole.

    Weights that were used, but that no gradient reaches, are behind a cut; and so is the past of a recurrent network
    whose state is taken out of the graph at every time step.
    """
    tape = capture.tape
    lost = {id(p): n for n, p in zip(names, mine, strict=True) if p.requires_grad and id(p) not in reached}
    behind = _ancestors(tape)
    used = {id(leaf) for leaf in tape.leaves.values()} | tape.hidden.keys()
    cut_off = [p for p in mine if id(p) in lost and id(p) in used]
    if cut_off:
        ids = {id(p) for p in cut_off}
        ways = [cut for cut in tape.cuts if behind(cut.slot) & ids]
        way = next((cut for cut in ways if cut.read is not None), ways[0] if ways else None)
        line = way.line if way else next((tape.hidden[id(p)] for p in cut_off if id(p) in tape.hidden), None)
        return _described("weights", way.name if way else "no_grad", line, [lost[i] for i in ids], cut_off)
    last = max((call.position for call in backwards), default=0)
    inner = [cut for cut in tape.cuts if cut.read is not None and cut.read < last and behind(cut.slot)]
    lines = Counter((cut.line.file, cut.line.line) for cut in inner if cut.line)
    if lines and (most := lines.most_common(1)[0])[1] >= _TIMES:
        cut = next(c for c in inner if c.line and (c.line.file, c.line.line) == most[0])
        return {**_described("past", cut.name, cut.line, [], []), "times": most[1]}
    return None


def _described(
    what: str, how: str, line: Line | None, names: list[str], parameters: Sequence[Tensor]
) -> dict[str, Any]:
    return {
        "what": what,
        "how": how,
        "file": line.file if line else None,
        "line": line.line if line else None,
        "names": sorted(names)[:_SHOWN],
        "count": len(names),
        "elements": sum(p.numel() for p in parameters),
    }


def _ancestors(tape: Tape) -> Callable[[int], set[int]]:
    """Return a function from a slot to the ids of the leaves that it was computed from."""
    made = {slot: op for op in tape.ops for slot in op.outputs if slot is not None}

    def leaves(slot: int) -> set[int]:
        found: set[int] = set()
        seen, waiting = {slot}, [slot]
        while waiting:
            at = waiting.pop()
            if at in tape.leaves:
                found.add(id(tape.leaves[at]))
            for nearer in made[at].inputs if at in made else ():
                if nearer not in seen:
                    seen.add(nearer)
                    waiting.append(nearer)
        return found

    return leaves


def _here(parameter: Tensor) -> Tensor:
    value = local(parameter)
    assert value is not None
    return value


def _norm(tensors: Sequence[Tensor | None] | None) -> float | None:
    if tensors is None:
        return None
    squares = [float(t.double().square().sum()) for t in tensors if t is not None]
    return float(sum(squares)) ** 0.5 if squares else None
