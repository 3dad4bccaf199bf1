"""Networks for parity that gradient descent has to find: all widths and seeds at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unstuck.lab.circuits import cases
from unstuck.lab.plots import Floats

#: Adam's learning rate, for both kinds of network.
RATE = 0.03


def shallow(n: int, widths: Sequence[int], seeds: int, steps: int, seed: int) -> Floats:
    """Train networks of one hidden layer of tanh units, every width with every seed.

    Args:
        n: Bits.
        widths: Hidden units.
        seeds: Networks of each width.
        steps: Steps of Adam, on all ``2 ** n`` inputs.
        seed: Of the first weights.

    Returns:
        The share of the networks of each width that had every input right at some step, ``[widths]``.
    """
    random = torch.Generator().manual_seed(seed)
    most, count = max(widths), len(widths) * seeds
    first = _drawn(random, (count, n + 1, most), n)
    second = _drawn(random, (count, most + 1, 1), most)
    used = (torch.arange(most) < torch.tensor(list(widths))[:, None]).double()
    mask = used.repeat_interleave(seeds, 0)[:, None]

    def logits(bits: Tensor) -> Tensor:
        hidden = torch.tanh(bits @ first[:, :-1] + first[:, -1:]) * mask
        return (hidden @ second[:, :-1] + second[:, -1:])[..., 0]

    share: Floats = _train(n, [first, second], logits, count, steps).reshape(len(widths), seeds).mean(1)
    return share


def deep(n: int, seeds: int, steps: int, seed: int) -> Floats:
    """Train trees of the shape that :func:`unstuck.lab.circuits.tree` has, end to end, with tanh units.

    Args:
        n: Bits, a power of two.
        seeds: Networks.
        steps: Steps of Adam, on all ``2 ** n`` inputs.
        seed: Of the first weights.

    Returns:
        Whether each network had every input right at some step: 0 or 1, ``[seeds]``.
    """
    random = torch.Generator().manual_seed(seed)
    levels = []
    gates = n // 2
    while gates:
        levels.append((_drawn(random, (seeds, gates, 3, 2), 2), _drawn(random, (seeds, gates, 3, 1), 2)))
        gates //= 2

    def logits(bits: Tensor) -> Tensor:
        values = bits.expand(seeds, -1, -1)  # [seeds, cases, signals]
        for place, (first, second) in enumerate(levels):
            pairs = values.unflatten(2, (-1, 2)).transpose(1, 2)  # [seeds, gates, cases, 2]
            hidden = torch.tanh(pairs @ first[:, :, :-1] + first[:, :, -1:])
            sums = (hidden @ second[:, :, :-1] + second[:, :, -1:])[..., 0].transpose(1, 2)
            values = sums if place == len(levels) - 1 else torch.tanh(sums)
        result: Tensor = values[..., 0]
        return result

    return _train(n, [w for level in levels for w in level], logits, seeds, steps)


def _drawn(random: torch.Generator, shape: tuple[int, ...], inputs: int) -> Tensor:
    """Return normal weights of variance 1 over the inputs; the last row of inputs is the bias."""
    return torch.randn(shape, generator=random, dtype=torch.float64).div(inputs**0.5).requires_grad_()


def _train(n: int, weights: list[Tensor], logits: Callable[[Tensor], Tensor], count: int, steps: int) -> Floats:
    """Return which networks had every input right at some step."""
    bits, parity = (torch.from_numpy(values) for values in cases(n))
    inputs, wanted = 2 * bits - 1, parity.expand(count, -1)
    optimizer = torch.optim.Adam(weights, lr=RATE)
    solved = torch.zeros(count, dtype=torch.bool)
    for _ in range(steps):
        outputs = logits(inputs)
        solved |= ((outputs > 0) == (wanted > 0)).all(1)
        if bool(solved.all()):
            break
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(outputs, wanted, reduction="sum") / len(bits)
        loss.backward()
        optimizer.step()
    result: Floats = solved.double().numpy()
    return result
