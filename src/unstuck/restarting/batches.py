"""The batches of each network: an order of its own, the same whether it is trained alone or with others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Batches:
    """Batches for ``k`` networks.

    The order of network ``i`` comes from a generator with its seed, a new one every epoch; the last batch of an epoch
    may be smaller, as with a ``DataLoader``.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, seeds: Sequence[int], size: int | None) -> None:
        """Take the data.

        Args:
            inputs: ``[n, ...]``.
            targets: ``[n, ...]``.
            seeds: One for each network.
            size: Examples in a batch; None for all of them, in the order in which they are.
        """
        self._inputs, self._targets, self._size = inputs, targets, size
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._orders, self._place = torch.empty(0), 0
        self._buffers: dict[int, Tensor] = {}

    @property
    def shared(self) -> bool:
        """Whether all networks get the same batch, which then has no axis for them."""
        return self._size is None

    def take(self) -> tuple[Tensor, Tensor]:
        """Return the next inputs and targets, ``[k, batch, ...]``, or ``[n, ...]`` where they are shared.

        The memory of the inputs is used again by the next batch.
        """
        n, k = len(self._inputs), len(self._generators)
        if self._size is None:
            return self._inputs, self._targets
        if self._place in (0, n):
            orders = torch.stack([torch.randperm(n, generator=one) for one in self._generators], 1)
            self._orders, self._place = orders.to(self._inputs.device), 0
        end = min(self._place + self._size, n)
        chosen = self._orders[self._place : end].mT.reshape(-1)
        self._place = end
        if len(chosen) not in self._buffers:
            self._buffers[len(chosen)] = self._inputs.new_empty(len(chosen), *self._inputs.shape[1:])
        buffer = torch.index_select(self._inputs, 0, chosen, out=self._buffers[len(chosen)])
        targets = self._targets.index_select(0, chosen)
        return buffer.unflatten(0, (k, -1)), targets.unflatten(0, (k, -1))
