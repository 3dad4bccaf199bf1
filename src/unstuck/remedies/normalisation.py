"""``normalisation``: the pre-activations of hidden layers are normalised."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.activation import ELEMENTWISE
from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.arguments import argument
from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.editing.source import called
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, hidden, hidden_sites, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.record.reader import LayerInfo
    from unstuck.trials.inside.rehearsal import Op
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Normalise(Remedy):
    """A normalisation with a scale and a shift of its own between each hidden layer and its activation.

    Attributes:
        kind_of: ``batch`` (over the examples of the batch) or ``layer`` (over the units of each example).
    """

    kind: ClassVar[str] = "normalisation"

    kind_of: str

    def __post_init__(self) -> None:
        among(self.kind_of, ("batch", "layer"), "normalisation")

    @property
    def label(self) -> str:
        """What is normalised over."""
        return f"{self.kind_of} normalisation"

    def apply(self, stage: Stage) -> None:
        """Put normalisations in before the first forward pass, and let the optimizers of their layers train them."""
        from unstuck.trials.inside.norms import insert, train, withdraw
        from unstuck.trials.inside.rehearsal import rehearse

        optimizers: list[Optimizer] = []

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            layers = self._layers(rehearse(network, args, kwargs))
            if not layers:
                stage.cannot(self.kind, "no hidden layer is seen that is not normalised yet")
                return
            handles = [insert(layer, self.kind_of) for layer in layers]
            if not rehearse(network, args, kwargs):
                why = "the network does not run with it"
            elif not train(layers, optimizers):
                why = "an optimizer has begun before the first forward pass"
            else:
                stage.did(self.kind)
                return
            for layer, handle in zip(layers, handles, strict=True):
                withdraw(layer, handle)
            stage.cannot(self.kind, why)

        stage.when_optimizer_made(optimizers.append)
        stage.before_first_forward(meet)

    def _layers(self, ops: Sequence[Op]) -> list[nn.Module]:
        """Return the layers of torch that only an activation stands behind."""
        from torch import nn
        from torch.nn.modules.conv import _ConvNd

        calls = [id(op.module) for op in ops if op.kind == "layer"]
        found: dict[nn.Module, None] = {}
        for op in ops:
            before = [ops[i] for i in op.reads]
            if op.kind != "activation" or op.name not in ELEMENTWISE or not op.hidden or op.gate:
                continue
            if any(other.kind == "norm" for other in before):
                continue
            for layer in (other.module for other in before if other.kind == "layer"):
                # One that is called several times gives other numbers each time: no statistics fit all of them.
                once = self.kind_of == "layer" or calls.count(id(layer)) == 1
                if isinstance(layer, (nn.Linear, _ConvNd)) and once:
                    found[layer] = None
        return list(found)

    def edit(self, run: Run) -> Edit:
        """Name the layers."""
        layers = [layer for layer in hidden(run) if layer.kind in ("linear", "conv")]
        names = {self._name(layer.kind, layer.type): None for layer in layers} or {"a normalisation": None}
        sentence = f"put {' or '.join(names)} between {listed(layers)} and the activation"
        return Edit(sentence, *first_line(layers), replacements=self._pieces(run, layers))

    def _pieces(self, run: Run, layers: Sequence[LayerInfo]) -> tuple[Replacement, ...]:
        """Return a normalisation behind every hidden layer of sequences of modules; none unless that is all of them."""
        made = optimizer_calls(run) or ()
        plain = all(layer.kind in ("linear", "conv") for layer in run.layers)  # no tokens, no sequences
        if not plain or not made or any(call.model is None for call in made):
            return ()
        pieces: list[Replacement] = []
        for source, site in hidden_sites(run, layers, ELEMENTWISE) or ():
            units = None if site.behind is None else argument(site.behind, *_units(site.behind))
            kinds = {(layer.kind, layer.type) for layer in site.layers}
            if site.behind is None or units is None or len(kinds) != 1:
                return ()
            kind, of = kinds.pop()
            name = names_of(source).write(f"torch.{self._name(kind, of).partition('(')[0]}")
            if name is None or any(isinstance(part, ast.Call) for part in ast.walk(units)):
                return ()
            text = f"{name}({'1, ' if name.endswith('GroupNorm') else ''}{source.text(units)})"
            if source.stands_alone(site.behind):
                pieces.append(source.line_like(site.behind, f"{text},"))
            else:
                pieces.append(source.put(source.span(site.behind)[1], f", {text}"))
        return tuple(pieces)

    def _name(self, kind: str, layer: str) -> str:
        if kind == "linear":
            return "nn.BatchNorm1d(units)" if self.kind_of == "batch" else "nn.LayerNorm(units)"
        dimensions = next((d for d in "123" if f"{d}d" in layer), "2")
        return f"nn.BatchNorm{dimensions}d(channels)" if self.kind_of == "batch" else "nn.GroupNorm(1, channels)"


def _units(call: ast.Call) -> tuple[str, list[str]]:
    """Return the name of the argument of a layer that is the number of its units, and those of its first ones."""
    if called(call) == "Linear":
        return "out_features", ["in_features", "out_features"]
    return "out_channels", ["in_channels", "out_channels"]
