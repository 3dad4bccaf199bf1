"""``activation``: another function between the layers."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, Source
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.network import Site, module_names
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, hidden, hidden_sites, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unstuck.record import Run
    from unstuck.record.reader import LayerInfo
    from unstuck.trials.inside.stage import Stage

#: Activations that work on each number alone and have no weights, by their names in ``torch.nn.functional``.
ELEMENTWISE = (
    "relu gelu tanh leaky_relu silu elu selu sigmoid celu softplus hardtanh relu6 hardsigmoid hardswish mish softsign "
    "logsigmoid"
).split()
_MODULES = {"relu": "ReLU", "gelu": "GELU", "tanh": "Tanh", "leaky_relu": "LeakyReLU", "silu": "SiLU", "elu": "ELU"}


@dataclass(frozen=True)
class Activation(Remedy):
    """Every hidden activation becomes another. Those of the outputs stay, and so do gates.

    Attributes:
        to: Name of the new one, one of ``ELEMENTWISE``; with torch's default arguments.
    """

    kind: ClassVar[str] = "activation"

    to: str

    def __post_init__(self) -> None:
        among(self.to, ELEMENTWISE, "activation")

    @property
    def label(self) -> str:
        """The new activation."""
        return f"activation {self.to}"

    def apply(self, stage: Stage) -> None:
        """Exchange the calls that a rehearsal of the network finds to be hidden activations."""
        from unstuck.trials.inside.activations import Activations

        others = [name for name in ELEMENTWISE if name != self.to]
        activations = Activations(stage, others, self.to, lambda: stage.did(self.kind))

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            ops = [
                op
                for op in activations.rehearse(network, args, kwargs)
                if op.kind == "activation" and op.name in others
            ]
            gates = {op.place for op in ops if op.gate}
            wanted = [op.hidden and op.place not in gates for op in ops]
            if any(wanted):
                activations.take(ops, wanted)
            else:
                stage.cannot(self.kind, f"no hidden activation other than {self.to} is seen in a forward pass")

        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the layers that the activation follows."""
        layers = [layer for layer in hidden(run) if layer.activation in ELEMENTWISE and layer.activation != self.to]
        olds = " and ".join(dict.fromkeys(str(layer.activation) for layer in layers)) or "the activation"
        module = f"nn.{_MODULES[self.to]}() or " if self.to in _MODULES else ""
        sentence = f"write {module}F.{self.to} for {olds} after {listed(layers)}"
        return Edit(sentence, *first_line(layers), replacements=self._pieces(run, layers))

    def _pieces(self, run: Run, wanted: Sequence[LayerInfo]) -> tuple[Replacement, ...]:
        """Return the other activation wherever one follows a hidden layer; none unless all of them are found."""
        pieces: list[Replacement] = []
        for site in hidden_sites(run, wanted, [name for name in ELEMENTWISE if name != self.to]) or ():
            piece = self._exchanged(*site)
            if piece is None:
                return ()
            pieces += piece
        return tuple(pieces)

    def _exchanged(self, source: Source, site: Site) -> list[Replacement] | None:
        names = names_of(source)
        if site.is_module:
            module = names.write(f"torch.nn.{module_names([self.to])[self.to]}")
            return None if module is None else [source.replace(site.call, f"{module}()")]
        function = names.write(f"torch.nn.functional.{self.to}")
        if names.path(site.call.func):
            plain = len(site.call.args) == 1 and not site.call.keywords
            return [source.replace(site.call.func, function)] if function and plain else None
        if not isinstance(site.call.func, ast.Attribute):
            return None
        if self.to in ("relu", "tanh", "sigmoid"):
            return [source.replace(site.call, f"{source.text(site.call.func.value)}.{self.to}()")]
        return [source.replace(site.call, f"{function}({source.text(site.call.func.value)})")] if function else None
