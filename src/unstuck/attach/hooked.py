"""Hooks that change gradients on their way: then what ``backward`` leaves is not the gradient of the loss.

A tape holds no hooks, and a replay does not call them (they may count, print or keep what they see). So where the
replayed gradient is not the program's own, the hooks that were seen are named, with the layers that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from unstuck.attach.capture import CustomFunction
from unstuck.attach.replay import NotReplayable
from unstuck.attach.sources import Line, shown
from unstuck.attach.tape import Op, Tape

#: A layer whose gradient differs by more than this share of its norm was changed; replays are a hundred times better.
_CHANGED = 0.01
#: Cosine below which a gradient leads elsewhere; one that was clipped element by element stays above.
_ELSEWHERE = 0.5
#: Cosine from which on two gradients have the same direction.
_SAME = 0.9999


@dataclass(frozen=True)
class Hook:
    """A hook on a gradient, and the line that registered it (or that it is written on)."""

    name: str
    line: Line | None

    def __str__(self) -> str:
        place = f" of {self.line.file}:{self.line.line}" if self.line else ""
        return f"the hook {self.name}{place}"


class GradientDiffers(NotReplayable):
    """The program's own gradient is not that of its loss.

    Args:
        message: By how much.
        hooks: The hooks that may be why.
        comparison: The layers that differ, in the form of the gradient check; None where there is no hook.
    """

    def __init__(self, message: str, hooks: Sequence[Hook] = (), comparison: dict[str, Any] | None = None) -> None:
        super().__init__(f"{message}; {hooks[0]} may change it" if hooks else message)
        self.comparison = comparison if hooks else None


def hooks_of(tape: Tape, ops: Sequence[Op], parameters: Sequence[Tensor]) -> list[Hook]:
    """Return the hooks that a backward pass met.

    Args:
        tape: The round's tape.
        ops: The operations of the step.
        parameters: The parameters that may have hooks of their own.

    Returns:
        Hooks on tensors, on parameters, on modules; each once.
    """
    found = [Hook(name, line) for name, line in tape.hooks]
    for parameter in parameters:
        for hooks in (parameter._backward_hooks, getattr(parameter, "_post_accumulate_grad_hooks", None)):
            found += [Hook(name_of(hook), _written(hook)) for hook in dict(hooks or {}).values()]
    for op in ops:
        if isinstance(op.func, CustomFunction) and op.name == "BackwardHookFunction":
            found.append(Hook("on a module", op.line))
    return list(dict.fromkeys(found))


def name_of(hook: Any) -> str:
    """Return what a hook is called."""
    return str(getattr(hook, "__name__", type(hook).__name__))


def _written(hook: Any) -> Line | None:
    code = getattr(getattr(hook, "__func__", hook), "__code__", None)
    return Line(shown(code.co_filename), code.co_firstlineno) if code is not None else None


def compare(
    layers: Sequence[tuple[str, Sequence[int]]], mine: Sequence[Tensor], real: Sequence[Tensor], hooks: Sequence[Hook]
) -> dict[str, Any]:
    """Compare the program's gradient with that of its loss, layer by layer.

    Args:
        layers: Names in forward order, with indices into the gradients.
        mine: Gradient of the loss.
        real: Gradient that ``backward`` left.
        hooks: The hooks that were seen.

    Returns:
        The same as ``unstuck.measure.gradient_check``, with ``hooks`` (name, file and line of each). ``wrong`` are the
        layers whose gradient leads elsewhere, ``changed`` all that differ: hooks that clip or scale are no fault.
    """
    numbers = {name: _products([mine[i] for i in indices], [real[i] for i in indices]) for name, indices in layers}
    # A hook changes what comes before it: the last layers give the common factor, such as a loss scale.
    scale = 1.0
    for cross, own, theirs in reversed(numbers.values()):
        if own > 0 and cross > _SAME * (own * theirs) ** 0.5:
            scale = cross / own
            break
    found = {}
    for name, (cross, own, theirs) in numbers.items():
        square = max(theirs - 2 * scale * cross + scale * scale * own, 0.0)
        largest = max(theirs, scale * scale * own)
        ratio = cross / (scale * own) if own > 0 else None
        found[name] = {"error": (square / largest) ** 0.5 if largest > 0 else 0.0, "kink": False, "ratio": ratio}
    changed = [name for name, entry in found.items() if float(entry["error"] or 0.0) > _CHANGED]
    wrong = [name for name in changed if _cosine(*numbers[name]) < _ELSEWHERE]
    worst = max(found, key=lambda name: float(found[name]["error"] or 0.0), default=None)
    return {
        "layers": found,
        "wrong": wrong,
        "changed": changed,
        "worst": worst,
        "error": found[worst]["error"] if worst is not None else None,
        "functions": [],
        "hooks": [
            {"name": h.name, "file": h.line.file if h.line else None, "line": h.line.line if h.line else None}
            for h in hooks
        ],
        "forwards": 0,
    }


def _cosine(cross: float, own: float, theirs: float) -> float:
    return cross / (own * theirs) ** 0.5 if own * theirs > 0 else 0.0


def _products(a: Sequence[Tensor], b: Sequence[Tensor]) -> tuple[float, float, float]:
    """Return <a, b>, <a, a> and <b, b> in double precision."""
    pairs = [(x.double().flatten(), y.double().flatten()) for x, y in zip(a, b, strict=True)]
    return (
        sum(float(x @ y) for x, y in pairs),
        sum(float(x @ x) for x, _ in pairs),
        sum(float(y @ y) for _, y in pairs),
    )
