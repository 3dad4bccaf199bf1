"""Fahlman's 10-5-10 encoder: Quickprop needs a fraction of the epochs of back-propagation."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.optim import Quickprop, atanh_error, offset_sigmoid

SEEDS, UNITS, HIDDEN = 10, 10, 5


def epochs(make, error, offset: float, limit: int) -> Tensor:
    """Return after how many epochs each seed has all outputs within 0.4 of the targets; -1 where it is over the limit.

    Weights of all seeds lie in two tensors: a weight's step depends on no other weight.
    """
    random = torch.Generator().manual_seed(0)
    first = torch.rand(SEEDS, UNITS + 1, HIDDEN, generator=random).mul(2).sub(1).requires_grad_()
    second = torch.rand(SEEDS, HIDDEN + 1, UNITS, generator=random).mul(2).sub(1).requires_grad_()
    optimizer = make(first, second)
    targets = torch.eye(UNITS).expand(SEEDS, UNITS, UNITS)
    ones = torch.ones(SEEDS, UNITS, 1)
    done = torch.full((SEEDS,), -1)
    for epoch in range(limit + 1):
        hidden = offset_sigmoid(torch.cat([targets, ones], 2) @ first, offset)
        outputs = offset_sigmoid(torch.cat([hidden, ones], 2) @ second, offset)
        solved = ((outputs - targets).abs() < 0.4).flatten(1).all(1)
        done[solved & (done < 0)] = epoch
        if (done >= 0).all():
            break
        optimizer.zero_grad()
        error(outputs, targets).backward()
        optimizer.step()
    return done


def test_quickprop_learns_the_encoder_in_a_fifth_of_the_epochs_of_back_propagation():
    def quickprop(first, second):
        groups = [{"params": [first], "lr": 2 / (UNITS + 1)}, {"params": [second], "lr": 2 / (HIDDEN + 1)}]
        return Quickprop(groups, mu=1.75)

    def descent(first, second):
        return torch.optim.SGD([first, second], lr=2.0)  # the best of 0.5, 1, 2 and 4

    fast = epochs(quickprop, atanh_error, 0.1, 60)
    slow = epochs(descent, lambda outputs, targets: (outputs - targets).square().sum() / 2, 0.0, 400)
    assert (fast >= 0).all()
    assert 12 <= fast.float().mean() <= 20
    assert slow.where(slow >= 0, torch.tensor(400)).float().mean() >= 5 * fast.float().mean()
