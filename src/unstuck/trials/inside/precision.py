"""Numbers with more digits in the place of those that the program asks for: casts, new tensors, autocast, networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_map_only

from unstuck.attach.untraced import stands_for
from unstuck.trials.inside.stage import Stage

LOW = (torch.float16, torch.bfloat16)

#: Methods that cast a tensor, and what those without a type as argument cast to.
_CASTS = {"to": None, "type": None, "half": torch.float16, "bfloat16": torch.bfloat16, "float": torch.float32}
#: Functions and methods that make tensors of a type that they are given, or that their data has.
_MAKERS = (
    "tensor as_tensor asarray from_numpy zeros ones empty full rand randn arange linspace eye zeros_like ones_like "
    "empty_like full_like rand_like randn_like set_default_dtype"
).split()
_OWN_MAKERS = "new_tensor new_zeros new_ones new_empty new_full".split()


def set_autocast(
    stage: Stage, low: tuple[torch.dtype, ...], other: torch.dtype | None, did: Callable[[], None]
) -> None:
    """Let ``torch.autocast`` cast to another type.

    Args:
        stage: The hook points.
        low: Types that are not cast to any more.
        other: The type to cast to; None for no cast at all.
        did: Is called when the program asks for one of the types.
    """

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def init(context: Any, *args: Any, **kwargs: Any) -> None:
            original(context, *args, **kwargs)
            if context._enabled and context.fast_dtype in low:
                context._enabled = other is not None
                context.fast_dtype = other or context.fast_dtype
                did()

        return init

    stage.wrap(torch.autocast, "__init__", make)


class Widened:
    """All numbers of some types become those of a wider one.

    Casts to a narrow type give the wide one, as new tensors where the cast would have made one. With ``drawn`` the
    same holds for tensors that are made in a narrow type. Without it those stay, since a wider type would draw other
    random numbers; networks get wide weights and inputs, and their outputs keep the type that the program knows.

    Args:
        stage: The hook points.
        low: The narrow types.
        wide: The wide one.
        drawn: Whether new tensors are wide too.
        did: Is called when something has been widened.
    """

    def __init__(
        self, stage: Stage, low: tuple[torch.dtype, ...], wide: torch.dtype, drawn: bool, did: Callable[[], None]
    ) -> None:
        self._stage = stage
        self._low = low
        self._wide = wide
        self._drawn = drawn
        self._did = did
        self._to: Callable[..., Tensor] = Tensor.to
        for name, kind in _CASTS.items():
            if kind is None or kind in low:
                stage.wrap(Tensor, name, self._cast(kind))
        if drawn:
            for owner, names in ((torch, _MAKERS), (Tensor, _OWN_MAKERS)):
                for name in names:
                    stage.wrap(owner, name, self._maker)
        stage.before_first_forward(self._meet)
        stage.when_optimizer_made(self._widen_loose)

    def _cast(self, kind: torch.dtype | None) -> Callable[..., Any]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            @stands_for(original)
            def cast(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
                given = (value for value in (*args, *kwargs.values()) if isinstance(value, torch.dtype))
                asked = kind or next(given, None)
                if asked not in self._low or not (self._drawn or tensor.dtype == self._wide):
                    return original(tensor, *args, **kwargs)
                self._did()
                if kind is not None:
                    result = self._to(tensor, self._wide, **kwargs)
                else:
                    result = original(tensor, *self._replaced(args), **self._replaced(kwargs))
                return result.clone() if result is tensor else result

            return cast

        return make

    def _maker(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def make(*args: Any, **kwargs: Any) -> Any:
            given = (*args, *kwargs.values())
            if any(value in self._low for value in given if isinstance(value, torch.dtype)):
                self._did()
                args, kwargs = self._replaced(args), self._replaced(kwargs)
            result = original(*args, **kwargs)
            if isinstance(result, Tensor) and result.dtype in self._low and result.is_leaf:
                self._did()
                result = self._to(result.detach(), self._wide).requires_grad_(result.requires_grad)
            return result

        return make

    def _replaced(self, values: Any) -> Any:
        return tree_map_only(torch.dtype, lambda kind: self._wide if kind in self._low else kind, values)

    def _meet(self, network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if any(p.dtype in self._low for p in network.parameters()):
            self._did()
        network._apply(self._widened)  # the parameters stay the objects that an optimizer has
        network.register_forward_pre_hook(self._inputs, with_kwargs=True)
        if not self._drawn:
            network.register_forward_hook(self._outputs)

    def _inputs(self, network: nn.Module, args: Any, kwargs: Any) -> Any:
        return tree_map_only(Tensor, self._widened, (args, kwargs))

    def _outputs(self, network: nn.Module, args: Any, result: Any) -> Any:
        narrow = self._low[0]
        return tree_map_only(Tensor, lambda t: self._to(t, narrow) if t.dtype == self._wide else t, result)

    def _widen_loose(self, optimizer: Optimizer) -> None:
        """Widen what an optimizer trains and no module has."""
        owned = {id(p) for module in self._stage.modules.alive() for p in module.parameters()}
        for group in optimizer.param_groups:
            for p in group["params"]:
                if id(p) not in owned and p.dtype in self._low:
                    p.data = self._widened(p.data)
                    self._did()

    def _widened(self, tensor: Tensor) -> Tensor:
        return self._to(tensor, self._wide) if tensor.dtype in self._low else tensor
