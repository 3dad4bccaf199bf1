"""A small training, with a remedy or as a person would have written it, for the tests of the remedies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from tests.difficulties.records import Record
from unstuck.record import Run
from unstuck.remedies import Remedy
from unstuck.trials.inside.stage import Stage

STEPS = 8
#: Behind a line of source, so that it keeps its number: imports hold for the whole file.
IMPORTS = "import torch\nimport torch.nn.functional as F\nfrom torch import nn, optim\nfrom torch.optim import SGD\n"
MakeOptimizer = Callable[[list[nn.Parameter]], Optimizer]


@contextmanager
def staged(*remedies: Remedy, total: int | None = STEPS) -> Iterator[Stage]:
    """Put remedies into effect around a training."""
    stage = Stage(total)
    try:
        for remedy in remedies:
            remedy.apply(stage)
        stage.install()
        yield stage
    finally:
        stage.remove()


def network(*extra: nn.Module) -> nn.Sequential:
    """Return the same small network every time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), *extra, nn.Linear(6, 3))


def batch(step: int) -> tuple[Tensor, Tensor]:
    """Return the examples of a step."""
    random = torch.Generator().manual_seed(step)
    return torch.randn(10, 4, generator=random), torch.randint(3, (10,), generator=random)


def train(
    make: MakeOptimizer,
    *,
    net: nn.Module | None = None,
    schedule: Callable[[Optimizer], Any] | None = None,
    before_step: Callable[[Optimizer, int], None] | None = None,
    zeroes: bool = True,
    closure: bool = False,
    steps: int = STEPS,
) -> list[Tensor]:
    """Train a network and return its parameters.

    Args:
        make: Makes the optimizer from the network's parameters.
        net: The network; :func:`network` if not given.
        schedule: Makes a scheduler of torch.
        before_step: Is called right before every step.
        zeroes: Whether gradients are zeroed between steps.
        closure: Whether the step gets a closure that computes the gradient.
        steps: Number of steps.
    """
    net = net if net is not None else network()
    optimizer = make(list(net.parameters()))
    scheduler = schedule(optimizer) if schedule is not None else None
    for step in range(steps):
        inputs, targets = batch(step)

        def compute(inputs: Tensor = inputs, targets: Tensor = targets) -> Tensor:
            if zeroes:
                optimizer.zero_grad()
            loss = cross_entropy(net(inputs), targets)
            loss.backward()
            return loss

        if closure:
            assert optimizer.step(compute) is not None
        else:
            compute()
            if before_step is not None:
                before_step(optimizer, step)
            optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return [p.detach().clone() for p in net.parameters()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    """Whether parameters are equal bit for bit."""
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def run_of(source: str | None = None, folder: Path | None = None, line: int = 1, **record: Any) -> Run:
    """Return a record of a run whose program is a file of one's own.

    Args:
        source: Source of its ``train.py``; none is written without it.
        folder: Where it was started.
        line: Line of the source that makes the optimizer.
        record: What is different from a sound record.
    """
    manifest = {"cwd": str(folder), "started": "2100-01-01T00:00:00+00:00"} if folder is not None else {}
    if source is not None and folder is not None:
        (folder / "train.py").write_text(source)
    run = Record(**{"manifest": manifest, **record}).run()
    made = run.optimizers[0]
    values = {**{name: getattr(made, name) for name in made.__dataclass_fields__}, "line": line}
    run.optimizers[0] = type(made)(**values)
    return run
