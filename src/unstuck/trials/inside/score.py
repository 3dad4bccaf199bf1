"""The error of the outputs at every training step, for arms that change what the loss means.

Called after the remedies are in effect, so that what stands for a loss function here lies outside of theirs: it sees
the outputs and targets that the program passes, whatever a remedy makes of them. Where a step calls no loss function,
its last difference of something trained and something given counts, as in ``((model(x) - y) ** 2).mean()``. Other
losses that the program computes itself, or inside of compiled code, are not seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.untraced import stands_for, untraced
from unstuck.record import jsonl
from unstuck.trials.inside.errors import Errors
from unstuck.trials.inside.losses import BINARY, DISTANCES, Call, same_but_ones, wrap_losses
from unstuck.trials.inside.stage import Stage
from unstuck.trials.inside.steps import Steps, is_first_rank

#: Steps between two writes: each waits for the device.
_EVERY = 50


def note(stage: Stage, file: Path) -> None:
    """Note the error of the outputs at every step that counts, the mean where a step has several losses.

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

    differs = untraced(score.differs, lambda error: None)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def sub(one: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(one, Tensor) and isinstance(other, Tensor) and one.requires_grad != other.requires_grad:
                differs(*((one, other) if one.requires_grad else (other, one)))
            return original(one, other, *args, **kwargs)

        return sub

    wrap_losses(stage, ("cross_entropy", "nll_loss", *DISTANCES, *BINARY), call)
    for owner, names in ((Tensor, ("__sub__", "sub", "subtract")), (torch, ("sub", "subtract"))):
        for name in names:
            stage.wrap(owner, name, make)
    Steps(stage, lambda _, step: score.stepped(step))
    stage.at_end(score.write)


class _Score:
    """The errors of the steps that are not written yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._errors = Errors()
        self._pending: list[Tensor] = []
        self._difference: tuple[Tensor, Tensor] | None = None
        self._steps: list[int] = []
        self._values: list[Tensor] = []

    def seen(self, call: Call) -> None:
        """Note the error of a call."""
        with torch.no_grad():
            error = self._errors.of(call.name, call.input, call.target, call.options)
        if error is not None:
            self._pending.append(error)

    def differs(self, output: Tensor, target: Tensor) -> None:
        """Keep the two sides of a difference: the last of a step is the one in its loss."""
        if torch.is_grad_enabled() and output.dim() and same_but_ones(output, target):
            self._difference = output.detach(), target

    def stepped(self, step: int) -> None:
        """Put the errors since the step before under this one."""
        difference, self._difference = self._difference, None
        if difference is not None and not self._pending:
            self._compare(*difference)
        if self._pending:
            with torch.no_grad():
                self._values.append(torch.stack([error.to(self._pending[0].device) for error in self._pending]).mean())
            self._steps.append(step)
            self._pending = []
        if len(self._steps) >= _EVERY:
            self.write()

    def _compare(self, output: Tensor, target: Tensor) -> None:
        """Note the error of the two sides of a difference; sides that have none are no fault of the program's."""
        with torch.no_grad(), contextlib.suppress(RuntimeError, TypeError):
            error = self._errors.of("difference", output, target, {})
            self._pending += [error] if error is not None else []

    def write(self) -> None:
        """Write down what is there."""
        steps, values = self._steps, self._values
        self._steps, self._values = [], []
        if steps:
            errors = torch.stack([value.to(values[0].device) for value in values]).tolist()
            with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
                file.write(jsonl.dumps({"step": steps, "error": errors}) + "\n")
