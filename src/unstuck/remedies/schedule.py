"""``schedule``: the learning rate times a curve over the whole run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from unstuck.errors import UsageError
from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.loop import reachable, steps_of
from unstuck.remedies.editing.names import mentions, names_of
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.steps import named, step_place

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

#: Share of the learning rate that a warm-up begins with.
_START = 0.01


@dataclass(frozen=True)
class Schedule(Remedy):
    """Every group's learning rate times a curve: a warm-up in a straight line, then a fall to 0 or none.

    The curves are those of torch's ``LinearLR`` and ``CosineAnnealingLR``, one after the other. A schedule of the
    program's own stays and is multiplied.

    Attributes:
        shape: How it goes on after the warm-up.
        warmup: Share of all steps that the warm-up takes; at least 0 and below 1.

    Raises:
        UsageError: There is no such shape, or the curve is 1 throughout.
    """

    kind: ClassVar[str] = "schedule"

    shape: Literal["cosine", "linear", "constant"]
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in ("cosine", "linear", "constant") or not 0 <= self.warmup < 1:
            raise UsageError(f"there is no schedule {self.shape!r} with a warm-up of {self.warmup!r} of the steps")
        if self.shape == "constant" and self.warmup == 0:
            raise UsageError("a constant schedule without a warm-up changes nothing")

    @property
    def label(self) -> str:
        """The shape and the warm-up."""
        before = f"warm-up over {self.warmup:.0%} of the steps" if self.warmup else ""
        after = "" if self.shape == "constant" else f"{self.shape} schedule"
        return " and ".join(part for part in (before, after) if part)

    def factor(self, step: int, total: int) -> float:
        """Return what the learning rate of a step is multiplied by.

        Args:
            step: The step, from 0.
            total: Steps of the whole run.
        """
        warm = round(self.warmup * total)
        if step < warm:
            return _START + (1 - _START) * step / warm
        done = min((step - warm) / max(total - warm, 1), 1.0)
        if self.shape == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        return 1 - done if self.shape == "linear" else 1.0

    def apply(self, stage: Stage) -> None:
        """Scale the rate right before every step; the program and its schedulers see their own."""
        total = stage.total_steps
        if total is None or (self.shape == "constant" and round(self.warmup * total) == 0):
            stage.cannot(self.kind, "the run's length is not known" if total is None else "the run is too short for it")
            return

        def scale(optimizer: Optimizer, step: int) -> None:
            having = [group for group in optimizer.param_groups if "lr" in group]
            for group in having:
                group["lr"] = group["lr"] * self.factor(step, total)
            if having:
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, "its optimizer has no learning rate")

        stage.before_step(scale)

    def edit(self, run: Run) -> Edit:
        """Name the scheduler to write after the line that made the optimizer."""
        optimizer = run.main_optimizer
        pulse = run.pulse.get(optimizer.index)
        total = int(pulse.step[-1]) + 1 if pulse is not None and len(pulse) else 0
        place = f"{optimizer.file}:{optimizer.line}" if optimizer.file and optimizer.line else "the optimizer's line"
        step = named(step_place(run))
        sentence = f"write scheduler = {_in_one(self._code(total))} after {place}, and scheduler.step() after {step}"
        return Edit(sentence, optimizer.file, optimizer.line, self._pieces(run, total))

    def _pieces(self, run: Run, total: int) -> tuple[Replacement, ...]:
        """Return the scheduler after the optimizer and its step after the optimizer's, for one that has none."""
        made, steps = optimizer_calls(run) or (), steps_of(run) or ()
        if len(made) != 1 or len(steps) != 1 or not total:
            return ()
        source, step, target = made[0].source, steps[0], made[0].target
        package = names_of(source).write("torch.optim.lr_scheduler")
        if target is None or package is None or source.text(target) != step.optimizer:
            return ()
        if not reachable(made[0], target, step.source, step.statement) or mentions(source, "scheduler"):
            return ()
        name = source.text(target)
        scheduler = f"{name.rpartition('.')[0]}.scheduler".removeprefix(".")
        scope = source.scope(step.statement)
        if scope is not source.scope(made[0].call) and not scheduler.startswith("self."):
            return ()
        first, *more = self._code(total, name, package)
        pieces = (
            source.after(source.statement(made[0].call), f"{scheduler} = {first}", *more),
            source.after(step.statement, f"{scheduler}.step()"),
        )
        return tuple(piece for piece in pieces if piece is not None) if all(pieces) else ()

    def _code(self, total: int, name: str = "optimizer", package: str = "torch.optim.lr_scheduler") -> list[str]:
        """Return the scheduler as lines of source; without a known number of steps it has names in their place."""
        warm = round(self.warmup * total)
        before = f"{package}.LinearLR({name}, {_START}, total_iters={warm if total else 'WARMUP'})"
        rest = f"{total - warm}" if total else "STEPS - WARMUP" if self.warmup else "STEPS"
        after = {
            "cosine": f"{package}.CosineAnnealingLR({name}, T_max={rest})",
            "linear": f"{package}.LinearLR({name}, 1, 0, total_iters={rest})",
        }.get(self.shape)
        if after is None or not self.warmup:
            return [after or before]
        milestone = warm if total else "WARMUP"
        parts = [
            f"    {name},",
            "    [",
            f"        {before},",
            f"        {after},",
            "    ],",
            f"    milestones=[{milestone}],",
        ]
        return [f"{package}.SequentialLR(", *parts, ")"]


def _in_one(lines: list[str]) -> str:
    """Return lines of source as one."""
    return (
        "".join(f"{line.strip()} " if line.endswith(",") else line.strip() for line in lines)
        .replace(", ]", "]")
        .replace(", )", ")")
    )
