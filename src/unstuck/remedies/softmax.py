"""``softmax``: a softmax over the wrong axis is taken over the classes; one over a single unit becomes a sigmoid."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, Source, read_source
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

_MODULES = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}
#: What gives a single unit's probability, and its logarithm: as function and as module.
_SIGMOIDS = {"softmax": ("torch.sigmoid", "Sigmoid"), "log_softmax": ("torch.nn.functional.logsigmoid", "LogSigmoid")}


@dataclass(frozen=True)
class MendSoftmax(Remedy):
    """The softmax at a line is taken over another axis, or is a sigmoid.

    Attributes:
        file: File of the line that calls it, or that makes it where it is a module, as the record has it.
        line: The line.
        name: Its name in ``torch.nn.functional``: ``softmax`` or ``log_softmax``.
        dim: The axis of the classes; None where there is a single unit, which takes a sigmoid.
    """

    kind: ClassVar[str] = "softmax"
    changes_loss: ClassVar[bool] = True

    file: str
    line: int
    name: str
    dim: int | None

    def __post_init__(self) -> None:
        among(self.name, tuple(_MODULES), "softmax")

    @property
    def label(self) -> str:
        """What becomes of it."""
        if self.dim is None:
            return f"sigmoid in the place of the {self.name}"
        return f"{self.name} over dimension {self.dim}"

    def apply(self, stage: Stage) -> None:
        """Answer the calls at the line, and those of modules that it has made."""
        import torch
        import torch.nn.functional as F
        from torch import Tensor

        from unstuck.attach.untraced import stands_for
        from unstuck.trials.inside.guard import Guard

        guard, place = Guard(), (self.file, self.line)

        def mended(given: Tensor, original: Callable[..., Any]) -> Any:
            stage.did(self.kind)
            if self.dim is not None:
                return original(given, self.dim)
            return torch.sigmoid(given) if self.name == "softmax" else F.logsigmoid(given)

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            @stands_for(original)
            def call(*args: Any, **kwargs: Any) -> Any:
                if guard.inside or not args or stage.line() != place:
                    return original(*args, **kwargs)
                guard.inside = True
                try:
                    return mended(args[0], original)
                finally:
                    guard.inside = False

            return call

        for owner in (torch, F, Tensor):
            stage.wrap(owner, self.name, make)

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            kind = getattr(torch.nn, _MODULES[self.name])
            for module in stage.modules.alive():
                made = stage.modules.line_of(module)
                if type(module) is kind and made is not None and (made.file, made.line) == place:
                    vars(module)["forward"] = lambda given: mended(given, getattr(F, self.name))
                    stage.did(self.kind)
            stage.cannot(self.kind, f"no {self.name} is called at {self.file}:{self.line}")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the call."""
        where = f"the {self.name} at {self.file}:{self.line}"
        sentence = (
            f"write {_SIGMOIDS[self.name][0]} in the place of {where}: it has a single unit"
            if self.dim is None
            else f"write dim={self.dim} in {where}: the classes are there"
        )
        source = read_source(run, self.file)
        return Edit(sentence, self.file, self.line, self._pieces(source) if source is not None else ())

    def _pieces(self, source: Source) -> tuple[Replacement, ...]:
        """Return the edit of the call; none unless the line has one."""
        module = _MODULES[self.name]
        calls = source.calls_at(self.line, self.name, module)
        if len(calls) != 1:
            return ()
        call, path = calls[0], names_of(source).path(calls[0].func)
        is_module = path == f"torch.nn.{module}"
        is_method = not path and isinstance(call.func, ast.Attribute)
        if not is_module and not is_method and path not in (f"torch.nn.functional.{self.name}", f"torch.{self.name}"):
            return ()
        first = 0 if is_module or is_method else 1
        if self.dim is None:
            return self._as_sigmoid(source, call, is_module, is_method)
        named = [keyword.value for keyword in call.keywords if keyword.arg == "dim"]
        dims = named or call.args[first : first + 1]
        return (source.replace(dims[0], str(self.dim)),) if dims else ()

    def _as_sigmoid(self, source: Source, call: ast.Call, is_module: bool, is_method: bool) -> tuple[Replacement, ...]:
        function, module = _SIGMOIDS[self.name]
        written = names_of(source).write(f"torch.nn.{module}" if is_module else function)
        if written is None or (not is_module and not is_method and not call.args):
            return ()
        given = "" if is_module else source.text(call.func.value if is_method else call.args[0])  # type: ignore[attr-defined]
        return (source.replace(call, f"{written}({given})"),)
