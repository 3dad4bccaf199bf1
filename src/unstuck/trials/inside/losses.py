"""Taking hold of torch's loss functions: every call of one, through a module or not, passes through a remedy."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from unstuck.attach.untraced import stands_for
from unstuck.trials.inside.guard import Guard
from unstuck.trials.inside.stage import Stage

#: Losses that measure a distance, element by element.
DISTANCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
#: Losses of yes or no, element by element.
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


@dataclass(frozen=True)
class Call:
    """A call of a loss function.

    Attributes:
        name: Its name in ``torch.nn.functional``.
        input: The outputs.
        target: The targets.
        options: The other arguments, by name.
        original: The function.
    """

    name: str
    input: Tensor
    target: Tensor
    options: dict[str, Any]
    original: Callable[..., Any]

    def compute(self, output: Tensor, target: Tensor, **options: Any) -> Any:
        """Call the function on other tensors, with the same options but for those given."""
        return self.original(output, target, **{**self.options, **options})


def wrap_losses(stage: Stage, names: Iterable[str], treat: Callable[[Call], Any]) -> None:
    """Let ``treat`` answer the calls of loss functions; what it calls in turn is not handed to it again.

    Args:
        stage: The hook points.
        names: Names in ``torch.nn.functional``.
        treat: Returns the loss.
    """
    guard = Guard()

    def make(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return lambda original: _stand_in(name, original, treat, guard)

    for name in names:
        stage.wrap(F, name, make(name))


def _stand_in(
    name: str, original: Callable[..., Any], treat: Callable[[Call], Any], guard: Guard
) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @stands_for(original)
    def loss(*args: Any, **kwargs: Any) -> Any:
        if guard.inside:
            return original(*args, **kwargs)
        try:
            given = dict(signature.bind(*args, **kwargs).arguments)
        except TypeError:
            return original(*args, **kwargs)  # which says best what is wrong
        output, target = given.pop("input", None), given.pop("target", None)
        if not isinstance(output, Tensor) or not isinstance(target, Tensor):
            return original(*args, **kwargs)
        guard.inside = True
        try:
            return treat(Call(name, output, target, given, original))
        finally:
            guard.inside = False

    return loss


def same_but_ones(one: Tensor, other: Tensor) -> bool:
    """Whether the shapes of two tensors differ in dimensions of size 1 only, such as ``(N, 1)`` and ``(N,)``."""
    return [n for n in one.shape if n != 1] == [n for n in other.shape if n != 1]
