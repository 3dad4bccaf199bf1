"""The error of the outputs at every training step, for arms that change what the loss means.

Called after the remedies are in effect, so that what stands for a loss function here lies outside of theirs: it sees
the outputs and targets that the program passes, whatever a remedy makes of them. Losses that the program computes
itself, or inside of compiled code, are not seen.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.untraced import untraced
from unstuck.record import jsonl
from unstuck.trials.inside.errors import Errors
from unstuck.trials.inside.losses import BINARY, DISTANCES, Call, wrap_losses
from unstuck.trials.inside.stage import Stage
from unstuck.trials.inside.steps import Steps, is_first_rank

#: Steps between two writes: each waits for the device.
_EVERY = 50


def note(stage: Stage, file: Path) -> None:
    """Note the error of the outputs at every step of the first optimizer, the mean where a step has several losses.

    Args:
        stage: The hook points.
        file: Gets JSON lines with columns: ``{"step": [0, 1], "error": [0.9, 0.8]}``.
    """
    if not is_first_rank():
        return
    score = _Score(file)
    seen = untraced(score.seen, lambda error: None)  # an error of ours is no error of the program's

    def call(call: Call) -> Any:
        if torch.is_grad_enabled() and call.input.requires_grad:
            seen(call)
        return call.original(**{**call.options, "input": call.input, "target": call.target})

    wrap_losses(stage, ("cross_entropy", "nll_loss", *DISTANCES, *BINARY), call)
    Steps(stage, lambda _, step: score.stepped(step))
    stage.at_end(score.write)


class _Score:
    """The errors of the steps that are not written yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._errors = Errors()
        self._pending: list[Tensor] = []
        self._steps: list[int] = []
        self._values: list[Tensor] = []

    def seen(self, call: Call) -> None:
        """Note the error of a call."""
        with torch.no_grad():
            error = self._errors.of(call.name, call.input, call.target, call.options)
        if error is not None:
            self._pending.append(error)

    def stepped(self, step: int) -> None:
        """Put the errors since the step before under this one."""
        if self._pending:
            with torch.no_grad():
                self._values.append(torch.stack([error.to(self._pending[0].device) for error in self._pending]).mean())
            self._steps.append(step)
            self._pending = []
        if len(self._steps) >= _EVERY:
            self.write()

    def write(self) -> None:
        """Write down what is there."""
        steps, values = self._steps, self._values
        self._steps, self._values = [], []
        if steps:
            errors = torch.stack([value.to(values[0].device) for value in values]).tolist()
            with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
                file.write(jsonl.dumps({"step": steps, "error": errors}) + "\n")
