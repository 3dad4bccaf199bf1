"""``loss``: another loss function, or the mean in the place of a sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.errors import UsageError
from unstuck.remedies.editing import Replacement, read_source
from unstuck.remedies.editing.losses import MODULES, find_loss
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.values import literal
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, at, loss_line

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.losses import Call
    from unstuck.trials.inside.stage import Stage

_LOSSES = ("cross_entropy", "mse_loss", "binary_cross_entropy_with_logits", "l1_loss")
#: Losses of raw outputs. Those of probabilities are left alone: their outputs mean something else.
_RAW = (*_LOSSES, "smooth_l1_loss", "huber_loss")
#: Losses that can be a sum over the batch.
_SUMS = (*_RAW, "nll_loss", "binary_cross_entropy")


@dataclass(frozen=True)
class ExchangeLoss(Remedy):
    """Every loss of torch becomes another; targets are converted, class numbers to one-hot rows and back.

    Attributes:
        to: Name of the new loss in ``torch.nn.functional``; empty for the program's own.
        mean: Whether a sum over the batch becomes a mean.
    """

    kind: ClassVar[str] = "loss"
    changes_loss: ClassVar[bool] = True
    alike: ClassVar[bool] = False

    to: str = ""
    mean: bool = False

    def __post_init__(self) -> None:
        if self.to:
            among(self.to, _LOSSES, "loss")
        elif not self.mean:
            raise UsageError("a loss is exchanged for another, or its sum for the mean: name the loss, or set mean")

    @property
    def label(self) -> str:
        """The new loss."""
        return " and ".join(filter(None, (self.to, "the loss's mean, not its sum" if self.mean else "")))

    def apply(self, stage: Stage) -> None:
        """Compute the other loss wherever the program calls one of torch's."""
        from unstuck.trials.inside.losses import wrap_losses
        from unstuck.trials.inside.targets import converted

        def treat(call: Call) -> Any:
            reduction = str(call.options.get("reduction", "mean"))
            changes: dict[str, Any] = {"reduction": "mean"} if self.mean and reduction == "sum" else {}
            if not self.to:
                if changes:
                    stage.did(self.kind)
                else:
                    stage.cannot(self.kind, "no loss of torch is a sum")
                return call.compute(call.input, call.target, **changes)
            pair = converted(self.to, call.input, call.target)
            unchanged = call.name == self.to and (pair is None or pair[1] is call.target) and not changes
            if pair is None or unchanged:
                why = (
                    f"it is {self.to} already"
                    if unchanged
                    else f"outputs and targets of {call.name} do not fit {self.to}"
                )
                stage.cannot(self.kind, why)
                return call.compute(call.input, call.target)
            stage.did(self.kind)
            if call.name == self.to:
                return call.compute(*pair, **changes)
            return _function(self.to)(*pair, reduction=changes.get("reduction", reduction))

        wrap_losses(stage, self._from, treat)

    @property
    def _from(self) -> tuple[str, ...]:
        """The losses that are exchanged."""
        if not self.to:
            return _SUMS
        # Log-probabilities are raw outputs as well, to a loss that makes log-probabilities of them.
        return (*_RAW, "nll_loss") if self.to == "cross_entropy" else _RAW

    def edit(self, run: Run) -> Edit:
        """Name the loss's line."""
        place = loss_line(run, lambda head: head["kind"] in _SUMS)
        file, line = place[1:] if place is not None else (None, None)
        pieces = self._pieces(run, *place) if place is not None else ()
        if not self.to:
            return Edit(f"write reduction='mean' for {at(place)} (it is 'sum')", file, line, pieces)
        extra = {
            "cross_entropy": ", with class numbers as targets",
            "mse_loss": ", with targets in the shape of the outputs",
            "l1_loss": ", with targets in the shape of the outputs",
            "binary_cross_entropy_with_logits": ", with targets of 0 and 1 in the shape of the outputs",
        }[self.to]
        mean = " and its mean" if self.mean else ""
        return Edit(f"write F.{self.to} for {at(place)}{extra}{mean}", file, line, pieces)

    def _pieces(self, run: Run, kind: str, file: str, line: int) -> tuple[Replacement, ...]:
        """Return another name and another reduction, where the targets can stay as they are."""
        source = read_source(run, file)
        loss = find_loss(source, kind, line) if source is not None else None
        tasks = [probe.m["task"] for probe in run.probes if "task" in probe.m]
        if source is None or loss is None or any(task["places"] != 1 for task in tasks):
            return ()
        settings = {keyword.arg: keyword.value for keyword in loss.settings.keywords}
        pieces = []
        if self.mean:
            reduction = settings.get("reduction")
            if literal(reduction) != "sum" or reduction is None:
                return ()
            pieces.append(source.replace(reduction, '"mean"'))
        if self.to:
            name = f"torch.nn.{MODULES[self.to]}" if loss.is_module else f"torch.nn.functional.{self.to}"
            written = names_of(source).write(name)
            others = settings.keys() - {"reduction", *(() if loss.is_module else ("input", "target"))}
            plain = not others and len(loss.settings.args) <= (0 if loss.is_module else 2)
            heads = [head for task in tasks for head in task["heads"]]
            if written is None or not plain or not all(_fits(kind, self.to, head) for head in heads):
                return ()
            pieces.append(source.replace(loss.settings.func, written))
        return tuple(pieces)


def _fits(kind: str, to: str, head: Mapping[str, Any]) -> bool:
    """Whether a loss takes the targets of another one as they are."""
    target = head["target"]
    if kind == "nll_loss":
        return to == "cross_entropy"
    if kind == "cross_entropy" or head["prediction"]["shape"] != target["shape"]:
        return False
    if to == "cross_entropy":
        return len(target["shape"]) > 1 and target.get("kind") == "one-hot"
    low, high = target.get("min"), target.get("max")
    bounded = isinstance(low, (int, float)) and isinstance(high, (int, float)) and low >= 0 and high <= 1
    return bounded or to != "binary_cross_entropy_with_logits"


def _function(name: str) -> Any:
    """Return the loss function as it is now, with what other remedies have made of it."""
    import torch.nn.functional as F

    return getattr(F, name)
