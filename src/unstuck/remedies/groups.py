"""Hyper-parameters that hold for a trial: set in the parameter groups right before every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.trials.inside.stage import Stage


def hold(stage: Stage, kind: str, values: Mapping[str, Any], missing: str) -> None:
    """Set hyper-parameters for every step of every optimizer, in the groups that have all of them.

    Args:
        stage: What a remedy takes hold of.
        kind: The remedy's kind.
        values: The hyper-parameters.
        missing: Why it cannot be done where no group has them.
    """

    def put(optimizer: Optimizer, step: int) -> None:
        having = [group for group in optimizer.param_groups if group.keys() >= values.keys()]
        if not having:
            stage.cannot(kind, missing)
        elif all(group[key] == value for group in having for key, value in values.items()):
            stage.cannot(kind, "the program has these values already")
        else:
            stage.did(kind)
        for group in having:
            group.update(values)

    stage.before_step(put)
