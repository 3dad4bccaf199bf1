"""``labels``: targets of yes or no become 1 and 0, whatever two numbers stand for them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.errors import UsageError
from unstuck.remedies.editing import Replacement, read_source
from unstuck.remedies.editing.losses import find_loss
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import at, loss_line

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.losses import Call
    from unstuck.trials.inside.stage import Stage

_KINDS = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


@dataclass(frozen=True)
class MapLabels(Remedy):
    """The targets of binary cross-entropies are mapped to the numbers between 0 and 1.

    Attributes:
        low: The number that becomes 0.
        high: The number that becomes 1.
    """

    kind: ClassVar[str] = "labels"
    changes_loss: ClassVar[bool] = True

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise UsageError(f"labels lie between two numbers, the smaller first; got {self.low:g} and {self.high:g}")

    @property
    def label(self) -> str:
        """What is done."""
        return f"labels {self.low:g} and {self.high:g} mapped to 0 and 1"

    def apply(self, stage: Stage) -> None:
        """Map the targets where a loss gets them."""
        from unstuck.trials.inside.losses import BINARY, wrap_losses

        def treat(call: Call) -> Any:
            stage.did(self.kind)
            return call.compute(call.input, (call.target - self.low) / (self.high - self.low))

        wrap_losses(stage, BINARY, treat)

    def edit(self, run: Run) -> Edit:
        """Name the loss's line."""
        place = loss_line(run, lambda head: head["kind"] in _KINDS)
        sentence = f"write {self._mapped('target')} for the target of {at(place)}"
        if place is None:
            return Edit(sentence)
        return Edit(sentence, place[1], place[2], self._pieces(run, *place))

    def _mapped(self, target: str) -> str:
        """Return a target as it is to be written."""
        moved = f"({target} {'-' if self.low >= 0 else '+'} {abs(self.low):g})" if self.low else target
        return moved if self.high - self.low == 1 else f"{moved} / {self.high - self.low:g}"

    def _pieces(self, run: Run, kind: str, file: str, line: int) -> tuple[Replacement, ...]:
        """Return the edit of the call's second argument."""
        source = read_source(run, file)
        loss = find_loss(source, kind, line) if source is not None else None
        if source is None or loss is None or len(loss.use.args) != 2:
            return ()
        target = loss.use.args[1]
        plain = isinstance(target, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
        text = source.text(target) if plain else f"({source.text(target)})"
        return (source.replace(target, self._mapped(text)),)
