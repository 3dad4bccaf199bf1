"""``more-units``: hidden layers with more units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.errors import UsageError
from unstuck.remedies.remedy import Edit, Remedy
from unstuck.remedies.sites import first_line, hidden, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn
    from torch.optim import Optimizer

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Widen(Remedy):
    """Hidden linear and convolutional layers get several times as many units, with fresh weights of the same spread.

    A step computes more then, so arms are compared by time. Layers whose width something else depends on, such as a
    skip connection, stay as they are.

    Attributes:
        factor: How many times as many, at least 2.

    Raises:
        UsageError: The factor is not a whole number from 2 on.
    """

    kind: ClassVar[str] = "more-units"
    changes_step: ClassVar[bool] = True

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 2 or self.factor != int(self.factor):
            raise UsageError(f"hidden layers can be 2, 3, ... times as wide, not {self.factor!r} times")

    @property
    def label(self) -> str:
        """The factor."""
        return f"hidden layers {self.factor} times as wide"

    def apply(self, stage: Stage) -> None:
        """Widen layer by layer before the first forward pass, each as long as the network runs with it."""
        from unstuck.trials.inside.loaded import Loaded
        from unstuck.trials.inside.rehearsal import rehearse
        from unstuck.trials.inside.widths import shapes, widen, widths

        loaded = Loaded(stage)
        optimizers: list[Optimizer] = []

        def begun(modules: tuple[nn.Module, ...]) -> bool:
            parameters = [p for module in modules for p in module._parameters.values() if p is not None]
            return any(p in optimizer.state for p in parameters for optimizer in optimizers)

        def meet(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            before = shapes(network, args, kwargs)
            for index, width in enumerate(widths(network, rehearse(network, args, kwargs))):
                if loaded.among(width.modules):
                    stage.cannot(self.kind, "the program has loaded its weights")
                elif begun(width.modules):
                    stage.cannot(self.kind, "an optimizer has begun before the first forward pass")
                else:
                    undo = widen(width, self.factor, index)
                    if before is not None and shapes(network, args, kwargs) == before:
                        stage.did(self.kind)
                    else:
                        undo()
            stage.cannot(self.kind, "no hidden layer is seen whose width nothing else depends on")

        stage.when_optimizer_made(optimizers.append)
        stage.before_first_forward(meet)

    def edit(self, run: Run) -> Edit:
        """Name the layers."""
        layers = [layer for layer in hidden(run) if layer.kind in ("linear", "conv")]
        sizes = {layer.units for layer in layers}
        units = f" ({sizes.pop() * self.factor} units)" if len(sizes) == 1 else ""
        return Edit(f"make {listed(layers)} {self.factor} times as wide{units}", *first_line(layers))
