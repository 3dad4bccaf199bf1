"""Epochs to learn Fahlman's 10-5-10 encoder: Quickprop with his recipe, and back-propagation.

    python -m benchmarks.encoder

Ten inputs of which one is on, five hidden units, the same ten as targets; all units sigmoids, weights uniform in
(-1, 1), the gradient of all ten examples summed. An encoder is learned when every output is within 0.4 of its target.
Plain back-propagation has the squared error and one learning rate. About a minute.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from unstuck.optim import Quickprop, atanh_error, offset_sigmoid  # noqa: E402 - found through the line above

UNITS, HIDDEN = 10, 5


def epochs(
    make: Callable[[Tensor, Tensor], Optimizer],
    error: Callable[[Tensor, Tensor], Tensor],
    *,
    offset: float,
    seeds: int,
    limit: int,
) -> Tensor:
    """Return the epochs that each encoder takes, or the limit where it takes longer.

    Args:
        make: Makes the optimizer from the weights of both layers, the biases in their last rows. The encoders of all
            seeds lie side by side in the two tensors; so the optimizer must step each weight by itself.
        error: Gives the summed error of outputs and targets.
        offset: Offset of the sigmoids' derivatives.
        seeds: Number of encoders.
        limit: Epochs at most.
    """
    random = torch.Generator().manual_seed(0)
    first = torch.rand(seeds, UNITS + 1, HIDDEN, generator=random).mul(2).sub(1).requires_grad_()
    second = torch.rand(seeds, HIDDEN + 1, UNITS, generator=random).mul(2).sub(1).requires_grad_()
    optimizer = make(first, second)
    targets, ones = torch.eye(UNITS).expand(seeds, UNITS, UNITS), torch.ones(seeds, UNITS, 1)
    taken = torch.full((seeds,), limit)
    for epoch in range(limit):
        hidden = offset_sigmoid(torch.cat([targets, ones], 2) @ first, offset)
        outputs = offset_sigmoid(torch.cat([hidden, ones], 2) @ second, offset)
        learned = ((outputs - targets).abs() < 0.4).flatten(1).all(1)
        taken[learned] = taken[learned].clamp_max(epoch)
        if (taken < limit).all():
            break
        optimizer.zero_grad()
        error(outputs, targets).backward()
        optimizer.step()
    return taken


def with_quickprop(epsilon: float, *, seeds: int, limit: int) -> Tensor:
    """Return the epochs of Quickprop with epsilon split by fan-in, atanh error and offset 0.1."""

    def make(first: Tensor, second: Tensor) -> Optimizer:
        rates = [{"params": [weights], "lr": epsilon / weights.shape[1]} for weights in (first, second)]
        return Quickprop(rates, mu=1.75)

    return epochs(make, atanh_error, offset=0.1, seeds=seeds, limit=limit)


def with_descent(epsilon: float, *, offset: float, seeds: int, limit: int) -> Tensor:
    """Return the epochs of plain back-propagation."""

    def make(first: Tensor, second: Tensor) -> Optimizer:
        return torch.optim.SGD([first, second], lr=epsilon)

    def squares(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().sum() / 2

    return epochs(make, squares, offset=offset, seeds=seeds, limit=limit)


def main() -> None:
    """Print a row for each method and learning rate."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--limit", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {platform.machine()}, {datetime.now(timezone.utc):%Y-%m-%d}")
    print(f"{'epochs':36} mean  median  learned")
    for epsilon in (1.0, 1.5, 2.0, 4.0):
        taken = with_quickprop(epsilon, seeds=options.seeds, limit=options.limit)
        _print(f"Quickprop, epsilon {epsilon:g} by fan-in", taken, options.limit)
    for offset in (0.0, 0.1):
        for epsilon in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
            taken = with_descent(epsilon, offset=offset, seeds=options.seeds, limit=options.limit)
            _print(f"back-propagation, {epsilon:g}, offset {offset:g}", taken, options.limit)


def _print(name: str, taken: Tensor, limit: int) -> None:
    learned = int((taken < limit).sum())
    print(f"{name:35} {taken.float().mean():5.1f}  {taken.median():6}  {learned}/{len(taken)}", flush=True)


if __name__ == "__main__":
    main()
