"""One optimizer for the weights of many networks, each of which steps as it would alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unstuck.errors import UsageError

#: Makes an optimizer for the parameters of one network.
MakeOptimizer = Callable[[list[nn.Parameter]], Optimizer]

_STEPS = 3
_TOLERANCE = 1e-6


def stacked_optimizer(make: MakeOptimizer, network: nn.Module, stacked: Mapping[str, nn.Parameter]) -> Optimizer:
    """Return the optimizer that a network would get, at work on stacked parameters.

    It is made for the parameters of one network, so that groups that depend on their shapes come out as they would,
    and is handed the stacked ones before its first step.

    Args:
        make: Makes it.
        network: One of the networks.
        stacked: Parameters of all, ``[k, ...]``, by name.

    Returns:
        The optimizer; torch's fused form of it where it has one for the device, and nothing else was asked for.

    Raises:
        UsageError: It was made for other parameters than those it was given.
    """
    optimizer = make([p for p in network.parameters() if p.requires_grad])
    of = {id(p): stacked[name] for name, p in network.named_parameters() if p.requires_grad}
    state = dict(optimizer.state)
    for group in optimizer.param_groups:
        if any(id(p) not in of for p in group["params"]):
            raise UsageError(
                "optimizer=... must make an optimizer for the parameters that it is given, as in "
                "lambda parameters: torch.optim.SGD(parameters, lr=0.1)"
            )
        group["params"] = [of[id(p)] for p in group["params"]]
        if not state and "fused" in group and not any(group.get(n) for n in ("fused", "foreach", "differentiable")):
            group["fused"] = all(p.is_floating_point() for p in group["params"]) or None
    optimizer.state.clear()
    for parameter, values in state.items():
        into = of[id(parameter)]
        optimizer.state[into] = {name: _spread(name, value, parameter.shape, into) for name, value in values.items()}
    return optimizer


def check_elementwise(make: MakeOptimizer, network: nn.Module) -> None:
    """Make sure that two networks whose weights are stacked step as they do apart.

    A few steps of made-up weights with made-up gradients, of very different sizes, are taken both ways, in float64.

    Args:
        make: Makes the optimizer.
        network: The network.

    Raises:
        UsageError: They do not: the optimizer mixes weights, or cannot step without a closure.
    """
    generator = torch.Generator().manual_seed(0)
    pair = [_made_up(network, generator) for _ in range(2)]
    names = [name for name, p in pair[0].named_parameters() if p.requires_grad]
    own = [dict(one.named_parameters()) for one in pair]
    stacked = {name: nn.Parameter(torch.stack([one[name].detach() for one in own])) for name in names}
    label = "this optimizer"
    try:
        together = stacked_optimizer(make, copy.deepcopy(network).double(), stacked)
        label = type(together).__name__
        apart = [make([one[name] for name in names]) for one in own]
        for _ in range(_STEPS):
            for name in names:
                shape = stacked[name].shape
                gradient = torch.randn(shape, generator=generator, dtype=torch.float64)
                gradient[1] *= 100
                stacked[name].grad = gradient.to(stacked[name].device)
                for place, one in enumerate(own):
                    one[name].grad = gradient[place].to(stacked[name].device)
            for optimizer in (together, *apart):
                optimizer.step()
    except UsageError:
        raise
    except Exception as error:
        reason = str(error).split("\n")[0]
        raise _refused(label, f"it cannot step on stacked weights: {reason}") from error
    for name in names:
        alone = torch.stack([one[name].detach() for one in own])
        if not torch.allclose(stacked[name].detach(), alone, rtol=0, atol=_TOLERANCE * float(alone.abs().max())):
            raise _refused(label, f"its step of {name!r} mixes the weights of different networks")


def _made_up(network: nn.Module, generator: torch.Generator) -> nn.Module:
    network = copy.deepcopy(network).double()
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(parameter.device)
    return network


def _refused(label: str, why: str) -> UsageError:
    return UsageError(
        f"{label} cannot train many networks at once: {why}; take one that steps each weight by itself, "
        "such as SGD, Adam, AdamW, RMSprop or Rprop"
    )


def _spread(name: str, value: Any, shape: torch.Size, into: nn.Parameter) -> Any:
    """Return a state that an optimizer made for one network in advance, for all of them."""
    if isinstance(value, Tensor) and name != "step" and value.shape == shape:
        return value.expand_as(into).clone()
    return value
