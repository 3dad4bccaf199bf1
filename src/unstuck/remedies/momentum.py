"""``momentum``: momentum for gradient descent and RMSprop."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.groups import hold
from unstuck.remedies.places import keyword_edit, read_source
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Momentum(Remedy):
    """The momentum of every group.

    Attributes:
        value: At least 0 and below 1.
        nesterov: Whether it is Nesterov's.
    """

    kind: ClassVar[str] = "momentum"

    value: float
    nesterov: bool = False

    @property
    def label(self) -> str:
        """The new value."""
        return f"Nesterov momentum {self.value:g}" if self.nesterov else f"momentum {self.value:g}"

    def apply(self, stage: Stage) -> None:
        """Set it right before every step; torch makes the averages when it first needs them."""
        values: dict[str, Any] = {"momentum": self.value}
        missing = "its optimizer has no momentum of this kind"
        if self.nesterov:
            values |= {"nesterov": True, "dampening": 0}  # which torch wants of it
        hold(stage, self.kind, values, missing)

    def edit(self, run: Run) -> Edit:
        """Name it at the line that made the optimizer."""
        optimizer = run.optimizers[0]
        group = optimizer.groups[0] if optimizer.groups else {}
        new, more = f"{self.value:g}", []
        if self.nesterov:
            more += ["nesterov"] * (not group.get("nesterov")) + ["dampening"] * bool(group.get("dampening"))
            new += "".join(f", {key}={'True' if key == 'nesterov' else 0}" for key in more)
        edit = keyword_edit(run, optimizer, "momentum", old=group.get("momentum"), new=new)
        source = read_source(run, optimizer.file) if edit.diff and more else None
        # Another keyword that the call has already would be there twice.
        return replace(edit, diff="") if source is not None and _named(source, edit.line or 0, more) else edit


def _named(source: str, line: int, keywords: list[str]) -> bool:
    """Whether a call at a line of a source has one of some keywords."""
    return any(
        isinstance(node, ast.Call)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        and any(keyword.arg in keywords for keyword in node.keywords)
        for node in ast.walk(ast.parse(source))
    )
