"""What a Hessian, and a product with it, take of memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_EXAMPLES = 16


class Peak(TorchDispatchMode):
    """Counts the bytes of all storages that operations make inside of it, and remembers the most at a time.

    Attributes:
        now: Bytes alive.
        most: Most bytes that were alive at a time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and note the storages that it made."""
        made = func(*args, **(kwargs or {}))
        old = {one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in old:
                self._note(one.untyped_storage())
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def gone(_: object) -> None:
            self._known.pop(key, None)
            self.now -= size

        self._known[key] = weakref.ref(storage, gone)
        self.now += size
        self.most = max(self.most, self.now)


class Network:
    """A network of one hidden layer with tanh and a squared loss, its parameters one flat vector."""

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator) -> None:
        """Draw parameters and examples.

        Args:
            inputs: Inputs.
            hidden: Hidden units.
            generator: Source of both.
        """
        self._shape = (hidden, inputs + 1)
        self._x = torch.randn(_EXAMPLES, inputs + 1, generator=generator)
        self._y = torch.randn(_EXAMPLES, generator=generator)
        self.size = hidden * (inputs + 2)
        self.place = torch.randn(self.size, generator=generator).div_(inputs**0.5)

    def loss(self, place: Tensor) -> Tensor:
        """Return the loss at ``place``, ``[size]``."""
        hidden = self._shape[0] * self._shape[1]
        units = torch.tanh(self._x @ place[:hidden].view(self._shape).T)
        return (units @ place[hidden:] - self._y).square().mean() / 2

    def product(self, vector: Tensor) -> Tensor:
        """Return the Hessian times ``vector``, by differentiating the gradient along it (Pearlmutter 1994)."""
        place = self.place.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.loss(place), place, create_graph=True)
        (product,) = torch.autograd.grad(gradient, place, vector)
        return product

    def hessian(self) -> Tensor:
        """Return the whole Hessian, ``[size, size]``, one row after the other."""
        place = self.place.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.loss(place), place, create_graph=True)
        matrix = torch.empty(self.size, self.size)
        unit = torch.zeros(self.size)
        for row in range(self.size):
            unit[row] = 1.0
            matrix[row] = torch.autograd.grad(gradient, place, unit, retain_graph=True)[0]
            unit[row] = 0.0
        return matrix


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most bytes of tensors that are alive at a time while ``work`` runs.

    Args:
        work: What is to be measured; its result counts as well.
    """
    peak = Peak()
    with peak:
        kept = work()
    del kept
    return peak.most
