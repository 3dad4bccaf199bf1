"""``optimizer``: another algorithm in the place of the program's optimizer."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.errors import UsageError
from unstuck.remedies.places import call_at, importing, read_source, replaced, unified
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
        """Name the new class at the line that made the optimizer."""
        optimizer = run.optimizers[0]
        place = f"{optimizer.file}:{optimizer.line}" if optimizer.file and optimizer.line else "where it is made"
        new = self._arguments(optimizer.groups[0] if optimizer.groups else {})
        shown = ", ".join(["...", *(f"{key}={value}" for key, value in new.items())])
        package = PACKAGES[self.name]
        sentence = f"write {package}.{self.name}({shown}) in the place of {optimizer.name} at {place}"
        if package != "torch.optim":
            sentence += f", and import {package}"
        source = read_source(run, optimizer.file)
        diff = ""
        if source is not None and optimizer.file and optimizer.line:
            changed = self._changed(source, optimizer.line, optimizer.name, new)
            diff = unified(optimizer.file, source, changed) if changed is not None else ""
        return Edit(sentence, optimizer.file, optimizer.line, diff)

    def _arguments(self, group: Mapping[str, Any]) -> dict[str, str]:
        """Return the arguments to write, as source: the defaults of two classes need not be the same."""
        rate = self.lr if self.lr is not None else group.get("lr")
        new = {"lr": f"{rate:g}"} if isinstance(rate, (int, float)) else {}
        decay = group.get("weight_decay")
        if self.name != "Rprop" and isinstance(decay, (int, float)) and (decay or self.name == "AdamW"):
            new["weight_decay"] = f"{decay:g}"
        return {**new, **{key: repr(value) for key, value in self.options.items()}}

    def _changed(self, source: str, line: int, name: str, new: Mapping[str, str]) -> str | None:
        """Return the source with the call of the other class; None where that takes a person."""
        call = call_at(source, line, name)
        package = _package(source, call) if call is not None else None
        if call is None or package is None:
            return None
        if len(call.args) != 1 or isinstance(call.args[0], (ast.Starred, ast.GeneratorExp)):
            return None
        if any(keyword.arg is None for keyword in call.keywords):
            return None  # what it holds is not in the call
        own = {"maximize", *(["lr"] if self.lr is None else []), *(["weight_decay"] if self.name != "Rprop" else [])}
        own -= self.options.keys()  # the rest belongs to the class that goes
        kept = {k.arg: ast.get_source_segment(source, k.value) for k in call.keywords if k.arg in own}
        values = [f"{key}={value}" for key, value in {**new, **kept}.items()]
        arguments = ", ".join([str(ast.get_source_segment(source, call.args[0])), *values])
        if PACKAGES[self.name] == "torch.optim":
            return replaced(source, call, f"{package}.{self.name}({arguments})")
        changed = replaced(source, call, f"{PACKAGES[self.name]}.{self.name}({arguments})")
        return importing(changed, PACKAGES[self.name], call.lineno)


def _package(source: str, call: ast.Call) -> str | None:
    """Return what torch.optim is called in a source, None where it cannot be told."""
    if isinstance(call.func, ast.Attribute):
        package = ast.get_source_segment(source, call.func.value)
        return package if package in ("torch.optim", "optim") else None
    return "torch.optim" if "import torch" in source.splitlines() else None
