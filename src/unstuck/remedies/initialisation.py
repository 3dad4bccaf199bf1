"""``initialisation``: other weights to start from."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.names import mentions, names_of
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.parameters import audited
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import among, first_line, listed, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage

_WRITES = {
    "glorot": "nn.init.xavier_uniform_(weight)",
    "he": "nn.init.kaiming_normal_(weight, nonlinearity='relu')",
    "orthogonal": "nn.init.orthogonal_(weight)",
    "lsuv": "nn.init.orthogonal_(weight), then divide each weight by the standard deviation of its layer's outputs,",
}
#: What can be written without knowing what goes through the layers.
_CALLS = {
    "glorot": "xavier_uniform_({})",
    "he": 'kaiming_normal_({}, nonlinearity="relu")',
    "orthogonal": "orthogonal_({})",
}


@dataclass(frozen=True)
class Initialise(Remedy):
    """Linear, convolutional and recurrent layers start from fresh weights, and from biases of 0.

    So do matrices that a program has made itself, in a module of its own or without one.

    Attributes:
        scheme: ``glorot``, ``he``, ``orthogonal``, ``lsuv`` (orthogonal, then scaled layer after layer until each
            gives outputs of variance 1; Mishkin and Matas 2015) or ``default`` (torch's own, biases too).
    """

    kind: ClassVar[str] = "initialisation"

    scheme: str

    def __post_init__(self) -> None:
        among(self.scheme, (*_WRITES, "default"), "initialisation")

    @property
    def label(self) -> str:
        """The scheme."""
        return f"{self.scheme} initialisation"

    def apply(self, stage: Stage) -> None:
        """Draw the weights of a network anew before its first forward pass; weights that were loaded stay."""
        from unstuck.trials.inside.bare import draw_bare
        from unstuck.trials.inside.loaded import Loaded
        from unstuck.trials.inside.weights import draw, layers_of, scale_by_outputs

        loaded = Loaded(stage)
        drawn: list[nn.Module] = []

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            layers = [layer for layer in layers_of(network) if all(layer is not other for other in drawn)]
            if loaded.among(layers):
                stage.cannot(self.kind, "the program has loaded its weights")
                return
            for layer in layers:
                draw(layer, self.scheme, len(drawn))
                drawn.append(layer)
            if self.scheme == "lsuv" and not scale_by_outputs(network, layers, args, kwargs):
                stage.cannot(self.kind, "the network cannot be run once on the side")
            elif layers:
                stage.did(self.kind)
            else:
                stage.cannot(self.kind, "the network has no layer of torch that is trained")

        def made(optimizer: Optimizer) -> None:
            modules = stage.modules.alive()
            if self.scheme in _CALLS and not loaded.among(modules) and draw_bare(optimizer, modules, self.scheme):
                stage.did(self.kind)

        stage.before_first_forward(meet)
        stage.when_optimizer_made(made)

    def edit(self, run: Run) -> Edit:
        """Name the layers."""
        layers = weighed(run)
        place = first_line(layers)
        if self.scheme == "default":
            return Edit(f"leave the weights of {listed(layers)} as torch draws them", *place)
        recurrent = any(layer.kind == "recurrent" for layer in layers) and self.scheme in ("glorot", "he")
        extra = ", nn.init.orthogonal_ for recurrent weights" if recurrent else ""
        write = _WRITES[self.scheme]
        sentence = f"write {write} and nn.init.zeros_(bias) for {listed(layers)}{extra}"
        return Edit(sentence, *place, replacements=self._pieces(run))

    def _pieces(self, run: Run) -> tuple[Replacement, ...]:
        """Return a loop over the layers right before the optimizer is made."""
        made, layers = optimizer_calls(run) or (), weighed(run)
        kinds = list(dict.fromkeys(layer.type for layer in layers))
        plain = all(kind in ("Linear", "Conv1d", "Conv2d", "Conv3d") for kind in kinds)
        if len(made) != 1 or made[0].network is None or not kinds or not plain or self.scheme not in _CALLS:
            return ()
        source, names = made[0].source, names_of(made[0].source)
        package = names.write("torch.nn.init")
        classes = [names.write(f"torch.nn.{kind}") for kind in kinds]
        own = any(names.path(call.func).startswith("torch.nn.init.") for call in source.all(ast.Call))
        if package is None or None in classes or own or mentions(source, "load_state_dict") or audited(run, "frozen"):
            return ()
        used = {node.id for node in source.all(ast.Name)}
        variable = next((word for word in ("layer", "module") if word not in used), "each_layer")
        kind = str(classes[0]) if len(classes) == 1 else f"({', '.join(map(str, classes))})"
        biased = all(any(name.endswith("bias") for name in layer.parameters) for layer in layers)
        bias = f"{package}.zeros_({variable}.bias)"
        piece = source.before(
            source.statement(made[0].call),
            f"for {variable} in {source.text(made[0].network)}.modules():",
            f"    if isinstance({variable}, {kind}):",
            f"        {package}.{_CALLS[self.scheme].format(f'{variable}.weight')}",
            *([f"        {bias}"] if biased else [f"        if {variable}.bias is not None:", f"            {bias}"]),
        )
        return () if piece is None else (piece,)
