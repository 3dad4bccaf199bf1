"""Reading off a tape how layers that behave otherwise in training were set: batch normalisation, dropout, autocast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unstuck.attach.tape import Constant, Op
from unstuck.measure.step import Modes

#: Position of ``training`` among the arguments.
_TRAINING = {"batch_norm": 5, "dropout": 2, "dropout1d": 2, "dropout2d": 2, "dropout3d": 2, "alpha_dropout": 2}
#: Rate of a dropout where none is given.
_RATE = 0.5


def read_modes(ops: Sequence[Op]) -> Modes:
    """Count the layers in training and in evaluation among the operations of a step.

    Args:
        ops: Operations in order.

    Returns:
        The counts.
    """
    norms = [op for op in ops if op.name == "batch_norm"]
    still = [op for op in norms if not _argument(op, "training", _TRAINING["batch_norm"], False)]
    dropouts = [op for op in ops if "dropout" in op.name and op.name in _TRAINING and _rate(op) > 0]
    off = [op for op in dropouts if not _argument(op, "training", _TRAINING[op.name], True)]
    kinds = [str(op.autocast[1]).removeprefix("torch.") for op in ops if op.autocast is not None]
    first = next(iter((*still, *off)), None)
    line = (first.made or first.line) if first is not None else None
    return Modes(
        norms_training=len(norms) - len(still),
        norms_evaluating=len(still),
        norms_fresh=sum(map(_is_fresh, still)),
        dropouts_on=len(dropouts) - len(off),
        dropouts_off=len(off),
        autocast=kinds[0] if kinds else None,
        file=line.file if line else None,
        line=line.line if line else None,
    )


def _argument(op: Op, name: str, place: int, default: Any) -> Any:
    return op.kwargs.get(name, op.args[place] if len(op.args) > place else default)


def _rate(op: Op) -> float:
    rate = _argument(op, "p", 1, _RATE)
    return float(rate) if isinstance(rate, (int, float)) else _RATE


def _is_fresh(op: Op) -> bool:
    """Whether running statistics were never updated; those that were loaded or learned are never exactly 0 and 1."""
    mean, variance = _argument(op, "running_mean", 1, None), _argument(op, "running_var", 2, None)
    if not isinstance(mean, Constant) or not isinstance(variance, Constant):
        return False
    return not bool(mean.tensor.any()) and bool((variance.tensor == 1).all())
