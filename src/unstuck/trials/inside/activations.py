"""Other functions in the place of the activations of networks, called as modules or as functions of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unstuck.attach.calls import is_in_place
from unstuck.attach.untraced import stands_for
from unstuck.trials.inside.guard import Guard
from unstuck.trials.inside.rehearsal import Op, rehearse
from unstuck.trials.inside.stage import Stage


class Turns:
    """Which of the calls at one place are meant: forward passes make theirs in the same order every time.

    Args:
        wanted: One entry per call of a forward pass.
    """

    def __init__(self, wanted: Sequence[bool]) -> None:
        self._wanted = list(wanted) if len(set(wanted)) > 1 else [wanted[0]]
        self._at = 0

    def next(self) -> bool:
        """Whether the next call is meant."""
        wanted = self._wanted[self._at]
        self._at = (self._at + 1) % len(self._wanted)
        return wanted


class Forward:
    """Stands for the forward of one activation module. Of a class of its own, so that the module can be saved.

    Args:
        module: The module.
        to: Name of the function of ``torch.nn.functional`` to call; empty for none.
        turns: Which of its calls are meant.
    """

    def __init__(self, module: nn.Module, to: str, turns: Turns) -> None:
        self._module = module
        self._to = to
        self._turns = turns

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the module's place."""
        if not self._turns.next():
            return type(self._module).forward(self._module, *args, **kwargs)
        return _exchanged(self._to, args, kwargs, in_place=False)


class Activations:
    """Exchanges calls of activations.

    Functions are wrapped at once, before the program can import them by name; which calls are meant is told later, by
    :meth:`take`.

    Args:
        stage: The hook points.
        names: Names of the activations, as ``ACTIVATIONS`` has them.
        to: Name of the function of ``torch.nn.functional`` to call in their place; empty for none.
        done: Is called when one has been exchanged.
        outside: A line of the program at which calls are meant that no rehearsal has told of.
    """

    def __init__(
        self,
        stage: Stage,
        names: Iterable[str],
        to: str,
        done: Callable[[], None],
        outside: tuple[str, int] | None = None,
    ) -> None:
        self._to = to
        self._done = done
        self._outside = outside
        self._turns: dict[Any, Turns] = {}
        self._guard = Guard()
        for name in names:
            for owner in (torch, F, Tensor):
                for spelled in (name, f"{name}_"):
                    if spelled in vars(owner) or (owner is Tensor and hasattr(Tensor, spelled)):
                        stage.wrap(owner, spelled, partial(self._stand_in, name, spelled))

    def rehearse(self, network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Op]:
        """Return the calls of a forward pass as the program makes them."""
        self._guard.inside = True
        try:
            return rehearse(network, args, kwargs)
        finally:
            self._guard.inside = False

    def take(self, ops: Sequence[Op], wanted: Sequence[bool]) -> None:
        """Exchange calls that a rehearsal told of.

        Args:
            ops: All calls of activations of these names in a forward pass, in order.
            wanted: Which of them.
        """
        for place in dict.fromkeys(op.place for op in ops):
            here = [i for i, op in enumerate(ops) if op.place == place]
            turns = Turns([wanted[i] for i in here])
            module = ops[here[0]].module
            if module is None:
                self._turns[place] = turns
            elif any(wanted[i] for i in here):
                self.replace(module, turns)

    def replace(self, module: nn.Module, turns: Turns | None = None) -> None:
        """Exchange calls of an activation module: those that are meant, or all."""
        vars(module)["forward"] = Forward(module, self._to, turns or Turns([True]))
        self._done()

    def _stand_in(self, name: str, spelled: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._guard.inside or not (self._turns or self._outside):
                return original(*args, **kwargs)
            self._guard.inside = True
            try:
                if not self._is_meant(name):
                    return original(*args, **kwargs)
                self._done()
                return _exchanged(self._to, args, kwargs, is_in_place(spelled, args, kwargs))
            finally:
                self._guard.inside = False

        return call

    def _is_meant(self, name: str) -> bool:
        line = Stage.line()
        turns = self._turns.get((line, name))
        return turns.next() if turns is not None else line is not None and line == self._outside


def _exchanged(to: str, args: tuple[Any, ...], kwargs: dict[str, Any], in_place: bool) -> Any:
    given = args[0] if args else kwargs["input"]
    if not to:
        return given
    if not in_place:
        return getattr(F, to)(given)
    return given.copy_(getattr(F, to)(given.clone()))
