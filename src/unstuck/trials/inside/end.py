"""The end of a trial's process: after its steps, when its weights are lost, or when a remedy has nothing to do."""

from __future__ import annotations

import atexit
import json
from typing import TYPE_CHECKING

from unstuck.attach.checking import leave
from unstuck.trials.inside.steps import Steps

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.attach.session import Session
    from unstuck.trials.inside.stage import Stage
    from unstuck.trials.spec import Spec

#: Steps between two looks at the weights, which wait for the device.
_LOOKS = 50
#: Steps after which a remedy that has found nothing to change will find nothing any more.
_PATIENCE = 2


def after(stage: Stage, spec: Spec, session: Session) -> None:
    """End the process after the trial's steps, counted on the optimizer that it is about.

    It ends where the next step would begin, of any optimizer: what the program prints after its last step, such as the
    accuracy of an epoch, is seen.

    ``applied.json`` tells which remedies found what they change, and why others did not.

    Args:
        stage: The hook points.
        spec: The trial.
        session: Records the trial.
    """
    folder = session.settings.run_dir
    kinds = [str(remedy["kind"]) for remedy in spec.remedies]

    def note() -> None:
        stage.ends()
        if not steps.done:
            return  # a launcher, which trains nothing itself
        missing = {kind: stage.why_not.get(kind, "it found nothing to change") for kind in kinds}
        values = {kind: why for kind, why in missing.items() if kind not in stage.applied}
        (folder / "applied.json").write_text(json.dumps({"missing": values}) + "\n", encoding="utf-8")

    def count(optimizer: Optimizer, step: int) -> None:
        idle = step + 1 >= _PATIENCE and not stage.applied.issuperset(kinds)
        if idle or (step % _LOOKS == 0 and _are_lost(optimizer)):
            note()
            leave(session, "steps")

    def begin(optimizer: Optimizer, step: int) -> None:
        if spec.steps is not None and steps.done >= spec.steps:
            note()
            leave(session, "steps")

    stage.before_step(begin, every=True)
    steps = Steps(stage, count)
    atexit.register(note)


def _are_lost(optimizer: Optimizer) -> bool:
    """Whether a weight is not finite: no step brings it back."""
    weights = (p.detach() for group in optimizer.param_groups for p in group["params"])
    return any(not bool(weight.isfinite().all()) for weight in weights)
