"""``parameters``: parameters that the loss uses and that no optimizer has are trained too."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class TrainAll(Remedy):
    """The main optimizer gets all parameters that have a gradient after the first backward pass and no optimizer."""

    kind: ClassVar[str] = "parameters"

    @property
    def label(self) -> str:
        """What is done."""
        return "all parameters in use trained"

    def apply(self, stage: Stage) -> None:
        """Add them right before the first step."""
        from unstuck.remedies.adoption import Adoption

        Adoption(stage, self.kind, "all parameters that get a gradient are in an optimizer")

    def edit(self, run: Run) -> Edit:
        """Name the parameters at the line that made the optimizer."""
        optimizer = run.main_optimizer
        place = f" at {optimizer.file}:{optimizer.line}" if optimizer.file and optimizer.line else ""
        lacking = audited(run, "outside")
        sentence = f"give the optimizer{place} the parameters of all layers in use: model.parameters()"
        sentence += f"; it lacks {lacking}" if lacking else ""
        return Edit(sentence, optimizer.file, optimizer.line, _pieces(run))


def _pieces(run: Run) -> tuple[Replacement, ...]:
    """Return ``model.parameters()`` in the place of ``model.head.parameters()``."""
    made = optimizer_calls(run) or []
    if len(made) != 1 or made[0].parameters is None:
        return ()
    part, whole = made[0].model, made[0].network
    if part is None or whole is None or ast.unparse(part) == ast.unparse(whole):
        return ()
    return (made[0].source.replace(made[0].parameters, f"{ast.unparse(whole)}.parameters()"),)


def audited(run: Run, which: str) -> str:
    """Return the names of a set of parameters of the last probe of a run's main optimizer, as words.

    Args:
        run: The watched run.
        which: The set, ``outside`` or ``frozen``.
    """
    audits = [p.m["parameters"] for p in run.of(run.main_optimizer.index) if "parameters" in p.m]
    names = [str(name) for name in audits[-1].get(which) or ()] if audits else []
    return f"{', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
