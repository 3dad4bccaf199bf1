"""``normalisation``: the pre-activations of hidden layers are normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.activation import ELEMENTWISE
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, hidden, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn
    from torch.optim import Optimizer

    from unstuck.record import Run
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
        return Edit(f"put {' or '.join(names)} between {listed(layers)} and the activation", *first_line(layers))

    def _name(self, kind: str, layer: str) -> str:
        if kind == "linear":
            return "nn.BatchNorm1d(units)" if self.kind_of == "batch" else "nn.LayerNorm(units)"
        dimensions = next((d for d in "123" if f"{d}d" in layer), "2")
        return f"nn.BatchNorm{dimensions}d(channels)" if self.kind_of == "batch" else "nn.GroupNorm(1, channels)"
