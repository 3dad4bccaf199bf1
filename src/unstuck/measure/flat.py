"""A list of tensors as one flat vector, and back: the vector space of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable


@dataclass(frozen=True)
class Layout:
    """Where each tensor of a list lies in the flat vector.

    Attributes:
        shapes: Shape of each tensor.
        sizes: Number of elements of each tensor.
        dtypes: Type of each tensor.
        devices: Device of each tensor.
        dtype: Type of the flat vector: the widest of the tensors', at least float32.
        device: Device of the flat vector: that of the first tensor.
    """

    shapes: list[torch.Size]
    sizes: list[int]
    dtypes: list[torch.dtype]
    devices: list[torch.device]
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> Layout:
        """Return the layout of ``tensors``.

        Args:
            tensors: The tensors, at least one, all real.

        Raises:
            NotMeasurable: There is no tensor, or one is complex.
        """
        if not tensors:
            raise NotMeasurable("no parameter took part in the loss")
        if any(tensor.is_complex() for tensor in tensors):
            raise NotMeasurable("a parameter is complex")
        return cls(
            [tensor.shape for tensor in tensors],
            [tensor.numel() for tensor in tensors],
            [tensor.dtype for tensor in tensors],
            [tensor.device for tensor in tensors],
            reduce(torch.promote_types, (tensor.dtype for tensor in tensors), torch.float32),
            tensors[0].device,
        )

    @property
    def size(self) -> int:
        """Number of elements of the flat vector."""
        return sum(self.sizes)

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return ``tensors`` as a new flat vector."""
        return torch.cat([tensor.detach().reshape(-1).to(self.device, self.dtype) for tensor in tensors])

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return the parts of ``flat`` in the tensors' shapes, types and devices: views where those agree."""
        return [
            part.view(shape).to(device, dtype)
            for part, shape, dtype, device in zip(
                torch.split_with_sizes(flat, self.sizes), self.shapes, self.dtypes, self.devices, strict=True
            )
        ]

    def fill(self, values: Sequence[float]) -> Tensor:
        """Return the flat vector that holds ``values[i]`` at every element of tensor ``i``."""
        flat = torch.empty(self.size, dtype=self.dtype, device=self.device)
        for part, value in zip(torch.split_with_sizes(flat, self.sizes), values, strict=True):
            part.fill_(value)
        return flat
