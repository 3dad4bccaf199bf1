"""``zeroing``: the gradients of a step are cleared after it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unstuck.remedies.places import read_source, unified
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.steps import named, step_place

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Zeroing(Remedy):
    """Every step begins without the gradients of the steps before; those of several backward calls still add up."""

    kind: ClassVar[str] = "zeroing"

    @property
    def label(self) -> str:
        """What is done."""
        return "gradients zeroed after every step"

    def apply(self, stage: Stage) -> None:
        """Clear them right after every step."""

        def clear(optimizer: Optimizer, step: int) -> None:
            if any(p.grad is not None for group in optimizer.param_groups for p in group["params"]):
                stage.did(self.kind)
                optimizer.zero_grad(set_to_none=True)
            else:
                stage.cannot(self.kind, "no gradients are left after a step")

        stage.after_step(clear)

    def edit(self, run: Run) -> Edit:
        """Name the call to write after the step."""
        place = step_place(run)
        sentence = f"write optimizer.zero_grad() after {named(place)}"
        if place is None:
            return Edit(sentence)
        source = read_source(run, place[0])
        changed = _cleared(source, place[1]) if source is not None else None
        return Edit(sentence, *place, unified(place[0], source, changed) if source and changed else "")


def _cleared(source: str, line: int) -> str | None:
    """Return the source with the call after a step that stands alone on its line; None where that takes a person."""
    lines = source.splitlines(keepends=True)
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and node.lineno == node.end_lineno == line and isinstance(node.value, ast.Call):
            call, own = node.value, lines[line - 1].strip()
            if own == ast.get_source_segment(source, node) and own.endswith(".step()"):
                indent = lines[line - 1][: node.col_offset]
                ending = "" if lines[line - 1].endswith("\n") else "\n"
                new = f"{ending}{indent}{ast.unparse(call.func).removesuffix('.step')}.zero_grad()\n"
                return "".join([*lines[:line], new, *lines[line:]])
    return None
