"""``optimizer``: another algorithm in the place of the program's optimizer."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.errors import UsageError
from unstuck.remedies.editing.arguments import argument, set_argument, without_argument
from unstuck.remedies.editing.names import importing, names_of
from unstuck.remedies.editing.optimizers import OptimizerCall, optimizer_calls
from unstuck.remedies.editing.values import Change
from unstuck.remedies.places import optimizer_place
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

#: Classes that take one gradient per step, with their packages.
PACKAGES = {
    **dict.fromkeys(("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adagrad", "RMSprop", "Rprop"), "torch.optim"),
    "Quickprop": "unstuck.optim",  # for gradients of the full batch
}


@dataclass(frozen=True)
class Exchange(Remedy):
    """All optimizers of the program step by another algorithm. Weight decay, groups and schedules stay.

    Attributes:
        name: Class of ``torch.optim``, or ``Quickprop``.
        lr: Its learning rate, that of the first group; None to keep the program's.
        options: Further arguments of the class, such as ``{"momentum": 0.9, "nesterov": True}``.

    Raises:
        UsageError: There is no such class to exchange for.
    """

    kind: ClassVar[str] = "optimizer"

    name: str
    lr: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.name not in PACKAGES:
            raise UsageError(f"an optimizer cannot be exchanged for {self.name!r}, only for {', '.join(PACKAGES)}")

    @property
    def label(self) -> str:
        """The class and its arguments."""
        values = {**({} if self.lr is None else {"lr": f"{self.lr:g}"}), **self.options}
        return ", ".join([self.name, *(f"{key} {value}" for key, value in values.items())])

    def apply(self, stage: Stage) -> None:
        """Exchange what an optimizer does, right when it is made."""
        from unstuck.remedies.exchanged import Exchanged

        algorithm: type[Optimizer] = getattr(import_module(PACKAGES[self.name]), self.name)

        def exchange(optimizer: Optimizer) -> None:
            if type(optimizer) is algorithm and self.lr is None and not self.options:
                stage.cannot(self.kind, f"its optimizer is {self.name} already")
                return
            Exchanged(optimizer, algorithm, self.lr, self.options)
            stage.did(self.kind)

        stage.when_optimizer_made(exchange)

    def edit(self, run: Run) -> Edit:
        """Name the new class at the lines that made the optimizers."""
        optimizer = run.main_optimizer
        place = optimizer_place(run) or "where it is made"
        new = self._arguments(optimizer.groups[0] if optimizer.groups else {})
        shown = ", ".join(["...", *(f"{key}={value}" for key, value in new.items())])
        package = PACKAGES[self.name]
        sentence = f"write {package}.{self.name}({shown}) in the place of {optimizer.name} at {place}"
        if package != "torch.optim":
            sentence += f", and import {package}"
        changes = [self._change(run, made) for made in optimizer_calls(run) or ()]
        instead = dict.fromkeys(change.instead for change in changes if change.instead)
        whole = bool(changes) and all(change.replacements is not None for change in changes)
        pieces = [piece for change in changes for piece in change.replacements or ()] if whole else []
        return Edit(" and ".join([sentence, *instead]), optimizer.file, optimizer.line, tuple(pieces))

    def _arguments(self, group: Mapping[str, Any]) -> dict[str, str]:
        """Return the arguments to write, as source: the defaults of two classes need not be the same."""
        rate = self.lr if self.lr is not None else group.get("lr")
        new = {"lr": f"{rate:g}"} if isinstance(rate, (int, float)) else {}
        decay = group.get("weight_decay")
        if self.name != "Rprop" and isinstance(decay, (int, float)) and (decay or self.name == "AdamW"):
            new["weight_decay"] = f"{decay:g}"
        return {**new, **{key: repr(value) for key, value in self.options.items()}}

    def _written(self, made: OptimizerCall) -> str | None:
        """Return the class as the call names the one that goes."""
        called, package = made.call.func, PACKAGES[self.name]
        if package != "torch.optim":
            return f"{package}.{self.name}"
        if isinstance(called, ast.Attribute):
            return f"{made.source.text(called.value)}.{self.name}"
        return names_of(made.source).write(f"torch.optim.{self.name}")

    def _change(self, run: Run, made: OptimizerCall) -> Change:
        """Return the change of one call: the class, the arguments that it does not have, those that it needs."""
        name = self._written(made)
        if name is None or not made.positions or len(made.info.groups) != 1 or len(made.call.args) > 2:
            return Change()
        new = self._arguments(made.info.groups[0])
        own = {"params", "lr", "maximize", *self.options, *(["weight_decay"] if self.name != "Rprop" else [])}
        pieces = [made.source.replace(made.call.func, name)]
        if PACKAGES[self.name] != "torch.optim":
            imported = importing(made.source, PACKAGES[self.name], made.call)
            if imported is None:
                return Change()
            pieces += imported
        for keyword in made.call.keywords:
            if keyword.arg not in own:
                pieces.append(without_argument(made.source, made.call, keyword))
        instead = ""
        for key, value in new.items():
            written = argument(made.call, key, made.positions)
            if written is not None and (key == "weight_decay" or (key == "lr" and self.lr is None)):
                continue  # the program's own, whatever it is written as
            change = set_argument(run, made.source, made.call, key, value, positions=made.positions)
            if change.replacements is None:
                return change
            instead, pieces = change.instead or instead, [*pieces, *change.replacements]
        return Change(tuple(pieces), instead)
