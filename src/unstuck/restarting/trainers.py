"""Trains networks: one as anybody would, or several as one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from unstuck.restarting.batches import Batches
from unstuck.restarting.graph import graph_of, run_graph
from unstuck.restarting.stepping import MakeOptimizer, stacked_optimizer

State = dict[str, Tensor]
#: Loss of outputs and targets of a batch: one number.
Loss = Callable[[Tensor, Tensor], Tensor]


def state_of(network: nn.Module) -> State:
    """Return parameters and buffers by name; what has two names has the first of them only.

    Args:
        network: The network.
    """
    return {name: value.detach() for name, value in (*network.named_parameters(), *network.named_buffers())}


@dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes:
        networks: The networks as they were initialised.
        inputs: ``[n, ...]``, on the device.
        targets: ``[n, ...]``, on the device.
        loss: The loss.
        optimizer: Makes an optimizer.
        steps: Steps of each network.
        batch_size: Examples in a batch; None for all.
        seed: Seed of the first network; the others follow.
    """

    networks: Sequence[nn.Module]
    inputs: Tensor
    targets: Tensor
    loss: Loss
    optimizer: MakeOptimizer
    steps: int
    batch_size: int | None
    seed: int

    def batches(self, first: int, end: int) -> Batches:
        """Return the batches of some of the networks."""
        return Batches(self.inputs, self.targets, range(self.seed + first, self.seed + end), self.batch_size)


class Trainer(Protocol):
    """Trains one or more networks."""

    def step(self) -> Tensor:
        """Take a step, and return the loss of each on its batch before it, ``[k]``."""

    def states(self) -> list[State]:
        """Return parameters and buffers of each network by name."""


class Alone:
    """One network, trained as anybody would. The network is a copy."""

    def __init__(self, task: Task, number: int) -> None:
        self._network = copy.deepcopy(task.networks[number]).train()
        self._optimizer = task.optimizer([p for p in self._network.parameters() if p.requires_grad])
        self._batches, self._loss = task.batches(number, number + 1), task.loss

    def step(self) -> Tensor:
        """Take a step."""
        inputs, targets = self._batches.take()
        if not self._batches.shared:
            inputs, targets = inputs[0], targets[0]
        self._optimizer.zero_grad()
        loss = self._loss(self._network(inputs), targets)
        loss.backward()
        self._optimizer.step()
        return loss.detach().reshape(1)

    def states(self) -> list[State]:
        """Return its state."""
        return [state_of(self._network)]


class Together:
    """Several networks as one: their weights stacked, one gradient of the sum of their losses."""

    def __init__(self, task: Task, first: int, end: int) -> None:
        networks = task.networks[first:end]
        self._base = copy.deepcopy(networks[0]).train()
        states = [state_of(one) for one in networks]
        self._stacked = {name: torch.stack([state[name] for state in states]) for name in states[0]}
        trained = [name for name, p in self._base.named_parameters() if p.requires_grad]
        self._parameters = {name: nn.Parameter(self._stacked[name]) for name in trained}
        self._stacked.update(self._parameters)
        self._optimizer = stacked_optimizer(task.optimizer, self._base, self._parameters)
        self._batches = task.batches(first, end)
        self._graph = graph_of(self._base, task.inputs)
        where = None if self._batches.shared else 0
        self._losses = vmap(task.loss, in_dims=(0, where), randomness="different")
        self._whole = vmap(self._one, in_dims=(0, where, where), randomness="different")
        self._loss = task.loss
        for parameter in self._parameters.values():
            parameter.grad = torch.zeros_like(parameter)

    def step(self) -> Tensor:
        """Take a step."""
        inputs, targets = self._batches.take()
        if self._graph is None:
            self._optimizer.zero_grad()
            losses = self._whole(self._stacked, inputs, targets)
        else:
            outputs = run_graph(self._graph, self._parameters, inputs, self._batches.shared)
            losses = self._losses(outputs, targets)
        losses.sum().backward()
        self._optimizer.step()
        return losses.detach()

    def states(self) -> list[State]:
        """Return the state of each."""
        count = len(next(iter(self._stacked.values())))
        return [{name: value[i].detach() for name, value in self._stacked.items()} for i in range(count)]

    def _one(self, state: State, inputs: Tensor, targets: Tensor) -> Tensor:
        return self._loss(functional_call(self._base, state, (inputs,)), targets)


def trainer(task: Task, first: int, end: int) -> Trainer:
    """Return a trainer of the networks from ``first`` to before ``end``."""
    return Alone(task, first) if end - first == 1 else Together(task, first, end)
