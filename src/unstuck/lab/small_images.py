"""A few images of digits, made small: of MNIST, or of scikit-learn where the machine has no MNIST."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from unstuck.errors import UsageError
from unstuck.lab.data import find_mnist, load_mnist


@cache
def load_digits(count: int, side: int) -> tuple[Tensor, Tensor, str]:
    """Return a few small images of digits: of MNIST, or of scikit-learn where there is no MNIST.

    Images are made smaller by the mean over patches, times the root of a patch's size, so that they keep their length
    as vectors.

    Args:
        count: How many, from the beginning.
        side: Height and width that is wanted.

    Returns:
        Images ``[count, side * side]``, float32, labels ``[count]``, and where they are from, in words.

    Raises:
        UsageError: There is neither MNIST nor scikit-learn.
    """
    if find_mnist() is not None:
        images, labels = load_mnist()
        where = "MNIST"
    else:
        try:
            from sklearn.datasets import load_digits as embedded
        except ModuleNotFoundError:
            raise UsageError(
                "this experiment needs images of digits, and there is neither MNIST in data/mnist nor scikit-learn; "
                "pip install scikit-learn, or name MNIST's folder: UNSTUCK_MNIST=/path/to/mnist unstuck lab ..."
            ) from None
        digits = embedded()
        images, labels = torch.from_numpy(digits.data).float() / 16, torch.from_numpy(digits.target).long()
        where = "scikit-learn's digits of 8 x 8 pixels (there is no MNIST on this machine)"
    height = round(images.shape[1] ** 0.5)
    small = torch.nn.functional.adaptive_avg_pool2d(images[:count].view(-1, 1, height, height), side)
    return small.flatten(1) * (height / side), labels[:count], f"{where}, {side} x {side} pixels"
