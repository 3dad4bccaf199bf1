"""The error of the outputs at every training step, for arms that change what the loss means.

Called after the remedies are in effect, so that what stands for a loss function here lies outside of theirs: it sees
the outputs and targets that the program passes, whatever a remedy makes of them. Where a step calls no loss function,
its last difference of something trained and something given counts, as in ``((model(x) - y) ** 2).mean()``, or its last
choice of one class for each example, as in ``-log_p.gather(1, y[:, None]).mean()``. Other losses that the program
computes itself, or inside of compiled code, are not seen.
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

    chooses = untraced(score.chooses, lambda error: None)

    def make_gather(original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def gather(values: Any, *args: Any, **kwargs: Any) -> Any:
            dim, index = (*args, None, None)[:2]
            chooses(values, kwargs.get("dim", dim), kwargs.get("index", index))
            return original(values, *args, **kwargs)

        return gather

    def make_item(original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def item(values: Any, index: Any) -> Any:
            if type(index) is tuple and len(index) == 2 and isinstance(index[1], Tensor) and values.dim() == 2:
                chooses(values, 1, index[1].unsqueeze(-1))  # as in p[range(n), y]
            return original(values, index)

        return item

    wrap_losses(stage, ("cross_entropy", "nll_loss", *DISTANCES, *BINARY), call)
    for owner, names in ((Tensor, ("__sub__", "sub", "subtract")), (torch, ("sub", "subtract"))):
        for name in names:
            stage.wrap(owner, name, make)
    stage.wrap(Tensor, "gather", make_gather)
    stage.wrap(torch, "gather", make_gather)
    stage.wrap(Tensor, "__getitem__", make_item)
    Steps(stage, lambda _, step: score.stepped(step))
    stage.at_end(score.write)


class _Score:
    """The errors of the steps that are not written yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._errors = Errors()
        self._pending: list[Tensor] = []
        self._last: Callable[[], Tensor | None] | None = None
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
            output = output.detach()
            self._last = lambda: self._errors.of("difference", output, target, {})

    def chooses(self, values: Any, dim: Any, index: Any) -> None:
        """Keep what one class of each example was chosen from, by its number."""
        if not (isinstance(values, Tensor) and isinstance(index, Tensor) and isinstance(dim, int)):
            return
        whole = not index.is_floating_point() and index.dtype != torch.bool and index.dim() == values.dim()
        if not (torch.is_grad_enabled() and values.requires_grad and whole) or index.shape[dim] != 1:
            return
        lowest = type(values.grad_fn).__name__.startswith("Neg")  # of costs, not of scores
        values, index = values.detach(), index.squeeze(dim)
        if values.shape[dim] > 1:
            self._last = lambda: _wrong(values.argmin(dim) if lowest else values.argmax(dim), index)

    def stepped(self, step: int) -> None:
        """Put the errors since the step before under this one."""
        last, self._last = self._last, None
        if last is not None and not self._pending:
            self._compare(last)
        if self._pending:
            with torch.no_grad():
                self._values.append(torch.stack([error.to(self._pending[0].device) for error in self._pending]).mean())
            self._steps.append(step)
            self._pending = []
        if len(self._steps) >= _EVERY:
            self.write()

    def _compare(self, last: Callable[[], Tensor | None]) -> None:
        """Note the error of what may be a loss; where there is none, that is no fault of the program's."""
        with torch.no_grad(), contextlib.suppress(RuntimeError, TypeError):
            error = last()
            self._pending += [error] if error is not None else []

    def write(self) -> None:
        """Write down what is there."""
        steps, values = self._steps, self._values
        self._steps, self._values = [], []
        if steps:
            errors = torch.stack([value.to(values[0].device) for value in values]).tolist()
            with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
                file.write(jsonl.dumps({"step": steps, "error": errors}) + "\n")


def _wrong(found: Tensor, classes: Tensor) -> Tensor:
    return (found != classes).float().mean()
