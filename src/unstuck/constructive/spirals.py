"""The problems that the paper is known for: two spirals, and N-input parity."""

from __future__ import annotations

import torch
from torch import Tensor


def two_spirals(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Return the 194 points of Wieland's two intertwined spirals and the class of each, 1 or 0.

    Point ``i`` of 97 lies at the angle ``i pi / 16`` and the radius ``6.5 (104 - i) / 104``; each has its negative in
    the other class.

    Args:
        dtype: Of both.

    Returns:
        ``[194, 2]`` and ``[194, 1]``.
    """
    i = torch.arange(97, dtype=torch.float64)
    angle, radius = i * torch.pi / 16, 6.5 * (104 - i) / 104
    points = torch.stack((radius * torch.sin(angle), radius * torch.cos(angle)), 1)
    return torch.cat((points, -points)).to(dtype), torch.cat((torch.ones(97, 1), torch.zeros(97, 1))).to(dtype)


def parity(bits: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Return all patterns of some bits, as -1/2 and 1/2, and whether the number of ones is odd.

    Args:
        bits: Number of bits.
        dtype: Of both.

    Returns:
        ``[2^bits, bits]`` and ``[2^bits, 1]``.
    """
    ones = (torch.arange(2**bits)[:, None] >> torch.arange(bits)) & 1
    return (ones - 0.5).to(dtype), (ones.sum(1, keepdim=True) % 2).to(dtype)
