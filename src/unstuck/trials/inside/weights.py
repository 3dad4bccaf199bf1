"""Drawing the weights of layers anew, from random numbers of their own: those of the program stay where they are."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from unstuck.trials.inside.dry_run import run_through
from unstuck.trials.inside.rehearsal import rehearse

#: Begins the seeds of layers, so that they meet none of the program's.
_SEED = 0x5EED_0000
#: LSUV: how close to 1 a variance has to come, and how often it is tried.
_CLOSE, _TRIES = 0.1, 10


def layers_of(network: nn.Module) -> list[nn.Module]:
    """Return the linear, convolutional and recurrent layers whose weights are trained, in the order of the modules."""
    kinds = (nn.Linear, _ConvNd, nn.RNNBase, nn.RNNCellBase)
    return [m for m in network.modules() if isinstance(m, kinds) and any(p.requires_grad for p in _own(m).values())]


@torch.no_grad()
def draw(layer: nn.Module, scheme: str, index: int) -> None:
    """Draw the weights of a layer.

    Args:
        layer: One of :func:`layers_of`.
        scheme: ``glorot``, ``he``, ``orthogonal``, ``lsuv`` or ``default``. Recurrent weights become orthogonal in all
            but the last.
        index: Number of the layer; each has its own random numbers.
    """
    seed = (_SEED + 7919 * index + torch.initial_seed()) % 2**63
    if scheme == "default":
        _draw_default(layer, seed)
        return
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in _own(layer).items():
        if parameter.requires_grad:
            parameter.copy_(_fresh(layer, name, parameter, scheme, generator))


def _own(layer: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in layer._parameters.items() if p is not None}


def _fresh(layer: nn.Module, name: str, parameter: Tensor, scheme: str, generator: torch.Generator) -> Tensor:
    """Return new values of a parameter, on the CPU."""
    values = torch.zeros(parameter.shape)
    if name.startswith("bias") or values.dim() < 2:
        return values
    if name.startswith("weight_hh"):
        for block in values.split(values.shape[1] if values.shape[0] % values.shape[1] == 0 else values.shape[0]):
            nn.init.orthogonal_(block, generator=generator)
    elif scheme == "glorot":
        nn.init.xavier_uniform_(values, generator=generator)
    elif scheme == "he":
        turned = isinstance(layer, _ConvTransposeNd)  # its weight has the inputs first
        inputs_second = values.transpose(0, 1) if turned else values
        nn.init.kaiming_normal_(inputs_second, nonlinearity="relu", generator=generator)
    else:
        nn.init.orthogonal_(values, generator=generator)
    return values


def _draw_default(layer: nn.Module, seed: int) -> None:
    """Let torch draw them, on a copy on the CPU, whose generator is put back."""
    twin: Any = copy.deepcopy(layer).to("cpu")
    state = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(seed)
        twin.reset_parameters()
    finally:
        torch.set_rng_state(state)
    for name, parameter in _own(layer).items():
        if parameter.requires_grad:
            parameter.copy_(twin._parameters[name])


def scale_by_outputs(
    network: nn.Module, layers: Sequence[nn.Module], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> bool:
    """Divide weights by the standard deviation of what their layers give, layer after layer (LSUV).

    Args:
        network: The network.
        layers: Those of its layers that may be changed; recurrent ones are left as they are.
        args: What the network is called with.
        kwargs: The same, by name.

    Returns:
        Whether the network could be run.
    """
    ops = rehearse(network, args, kwargs)
    called = [op.module for op in ops if op.kind == "layer"]
    ordered = dict.fromkeys(layer for layer in called if isinstance(layer, (nn.Linear, _ConvNd)))
    for layer in ordered:
        if all(layer is not other for other in layers):
            continue
        for _ in range(_TRIES):
            variance = _variance(layer, network, args, kwargs)
            if not 1e-20 < variance < 1e20 or abs(variance - 1) < _CLOSE:
                break
            with torch.no_grad():
                _own(layer)["weight"].div_(variance**0.5)
    return bool(ops)


def _variance(layer: nn.Module, network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    """Return the variance of what a layer gives when it is called for the first time; NaN where it is not."""
    seen: list[float] = []

    def note(module: nn.Module, given: Any, result: Tensor) -> None:
        seen.append(float(result.float().var(correction=0)))

    handle = layer.register_forward_hook(note)
    try:
        run_through(network, args, kwargs)
    finally:
        handle.remove()
    return seen[0] if seen else float("nan")
