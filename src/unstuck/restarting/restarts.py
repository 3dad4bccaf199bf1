"""``unstuck.restarts``: many initialisations of one network, trained at once."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from unstuck.errors import UsageError
from unstuck.restarting.pilot import Way, choose
from unstuck.restarting.result import Restarts
from unstuck.restarting.stepping import MakeOptimizer, check_elementwise
from unstuck.restarting.trainers import Loss, State, Task, trainer

#: Points of a curve of losses, at most.
_RECORDED = 200


def restarts(
    build: Callable[[], nn.Module],
    inputs: Tensor,
    targets: Tensor,
    loss: Loss,
    optimizer: MakeOptimizer,
    *,
    steps: int,
    batch_size: int | None = None,
    count: int = 64,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Restarts:
    """Train many initialisations of one network, at once where that is faster, and return what they reach.

    Network ``i`` is what ``torch.manual_seed(seed + i); build()`` makes, and its batches follow the permutations of
    ``torch.Generator().manual_seed(seed + i)``: it ends where it would end if it were trained alone, to the precision
    of its numbers. Dropout draws other masks than alone.

    A short measurement decides how many are trained at once, or whether one by one is faster; the result says which,
    and the factor that was measured. The global random state is left as it was.

    Args:
        build: Makes a network, initialised.
        inputs: Inputs of all examples, ``[n, ...]``.
        targets: Targets of all examples, ``[n, ...]``.
        loss: Takes the outputs and targets of a batch, and returns one number: ``torch.nn.functional.mse_loss``.
        optimizer: Makes an optimizer for a list of parameters. It must treat each weight by itself.
        steps: Steps of each network.
        batch_size: Examples in a batch, drawn without replacement, an order of its own for each network; None for all.
        count: How many networks.
        seed: Seed of the first.
        device: Where they are trained.

    Returns:
        Final losses, curves, the best network, and how it was done.

    Raises:
        UsageError: An argument is out of range, or the optimizer mixes weights.

    Example:
        >>> import torch, unstuck
        >>> x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
        >>> def build():
        ...     nn = torch.nn
        ...     return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
        >>> result = unstuck.restarts(
        ...     build, x, y, torch.nn.functional.mse_loss, lambda p: torch.optim.SGD(p, lr=0.5), steps=500, count=16
        ... )
        >>> result.final.shape, 0.0 < result.share(0.01) < 1.0
        (torch.Size([16]), True)
    """
    began = time.perf_counter()
    _check(inputs, targets, steps, batch_size, count)
    place = torch.device(device)
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        networks = [_built(build, seed + i).to(place) for i in range(count)]
        check_elementwise(optimizer, networks[0])
        task = Task(networks, inputs.to(place), targets.to(place), loss, optimizer, steps, batch_size, seed)
        way = choose(task)
        torch.manual_seed(seed)
        losses, states = _train(task, way)
    final = torch.stack([_final(task, state) for state in states]).double().cpu()
    return Restarts(
        final=final,
        losses=losses,
        steps=torch.tensor(_recorded(steps)),
        parameters={name: torch.stack([state[name] for state in states]) for name in states[0]},
        seed=seed,
        way=way,
        seconds=time.perf_counter() - began,
        _base=networks[0],
    )


def _train(task: Task, way: Way) -> tuple[Tensor, list[State]]:
    """Train all networks, and return their recorded losses and final states."""
    count, ends = len(task.networks), _recorded(task.steps)
    groups = math.ceil(count / way.group)
    edges = [round(count * i / groups) for i in range(groups + 1)]  # groups of about the same size
    losses, states = torch.empty(count, len(ends), dtype=torch.float64), []
    for first, end in itertools.pairwise(edges):
        if way.group == 1:
            torch.manual_seed(task.seed + first)
        one, done = trainer(task, first, end), 0
        for column, step in enumerate(ends):
            total = one.step()
            for _ in range(step - done - 1):
                total += one.step()
            losses[first:end, column] = total.double().cpu() / (step - done)
            done = step
        states += one.states()
    return losses, states


def _recorded(steps: int) -> list[int]:
    """Return the steps after which a loss is recorded, evenly spaced, the last among them."""
    points = min(steps, _RECORDED)
    return [round(steps * (i + 1) / points) for i in range(points)]


def _built(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    network: object = build()  # a person's function may return anything
    if not isinstance(network, nn.Module) or not any(p.requires_grad for p in network.parameters()):
        raise UsageError(
            f"build() must return a torch.nn.Module with parameters to train; got {type(network).__name__}"
        )
    return network


@torch.no_grad()
def _final(task: Task, state: State) -> Tensor:
    network = task.networks[0].eval()
    return task.loss(torch.func.functional_call(network, state, (task.inputs,)), task.targets)


def _check(inputs: Tensor, targets: Tensor, steps: int, batch_size: int | None, count: int) -> None:
    if len(inputs) != len(targets):
        raise UsageError(f"inputs and targets must be as many; got {len(inputs)} and {len(targets)}")
    for name, value in (("steps", steps), ("count", count)):
        if value < 1:
            raise UsageError(f"{name} must be at least 1; got {value}")
    if batch_size is not None and not 1 <= batch_size <= len(inputs):
        raise UsageError(f"batch_size must be from 1 to the {len(inputs)} examples, or None for all; got {batch_size}")
