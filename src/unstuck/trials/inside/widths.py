"""Hidden layers with more units: which can have them, and what their width is written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from unstuck.attach.again import original_of
from unstuck.attach.calls import tensors_in
from unstuck.trials.inside.dry_run import run_through
from unstuck.trials.inside.rehearsal import Op

#: Begins the seeds of layers, so that they meet none of the program's, nor those of fresh initialisations.
_SEED = 0x31DE_0000


@dataclass(frozen=True)
class Width:
    """A number of hidden units, and the modules that it is written in.

    Attributes:
        layer: The layer that has the units.
        norms: Normalisations of what it gives.
        readers: Layers that read it, with nothing else beside it.
    """

    layer: nn.Module
    norms: tuple[nn.Module, ...]
    readers: tuple[nn.Module, ...]

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All of them."""
        return (self.layer, *self.norms, *self.readers)


def widths(network: nn.Module, ops: Sequence[Op]) -> list[Width]:
    """Return the widths that can be changed, in the order of the calls.

    A layer is left out where it or a reader is called several times, is recurrent, an attention, grouped or frozen, has
    weights that another module has too, or where something else is added to what it gives.

    Args:
        network: The network.
        ops: The calls of a forward pass.
    """
    calls = Counter(id(op.module) for op in ops)
    owners = Counter(id(p) for module in network.modules() for p in module._parameters.values())

    def fits(op: Op) -> bool:
        module: Any = op.module
        own = [p for p in module._parameters.values() if p is not None] if module is not None else []
        once = calls[id(module)] == 1 and all(owners[id(p)] == 1 and p.requires_grad and p.grad is None for p in own)
        if op.kind == "layer":
            plain = isinstance(module, nn.Linear) or (isinstance(module, _ConvNd) and module.groups == 1)
            return plain and once and op.weight is module._parameters.get("weight")
        if op.kind == "norm":
            flat = isinstance(module, nn.LayerNorm) and len(module.normalized_shape) == 1
            return once and (flat or isinstance(module, (_NormBase, nn.GroupNorm)))
        return op.name != "prelu"

    found = []
    for place, op in enumerate(ops):
        if op.kind != "layer" or not op.hidden:
            continue
        behind = [other for other in ops if place in other.reads]
        mixed = any(ops[i].kind == "layer" for other in behind for i in other.reads - {place})
        if not mixed and all(fits(other) for other in (op, *behind)):
            norms, readers = (
                tuple(o.module for o in behind if o.kind == kind and o.module) for kind in ("norm", "layer")
            )
            if op.module is not None:
                found.append(Width(op.module, norms, readers))
    return found


def widen(width: Width, factor: int, index: int) -> Undo:
    """Make a width several times as large, in place: an optimizer that has the parameters trains the new ones.

    New weights are uniform with the standard deviation of those that were there, divided by the root of ``factor``
    where a layer reads that many times more units, as He's, Glorot's and torch's own rules have it. Biases and
    normalisations that were constant stay so.

    Args:
        width: The width.
        factor: How many times.
        index: Its number; each has its own random numbers.

    Returns:
        What puts everything back.
    """
    undo = Undo(width.modules)
    seed = (_SEED + 7919 * index + torch.initial_seed()) % 2**63
    generator = torch.Generator().manual_seed(seed)
    turned = isinstance(width.layer, _ConvTransposeNd)  # its weight has the inputs first
    _grow(width.layer, {"weight": int(turned), "bias": 0}, factor, 1.0, generator)
    for norm in width.norms:
        _grow(norm, dict.fromkeys(("weight", "bias", "running_mean", "running_var"), 0), factor, 1.0, generator)
    for reader in width.readers:
        side = 0 if isinstance(reader, _ConvTransposeNd) else 1
        _grow(reader, {"weight": side}, factor, factor**-0.5, generator)
    for module, names in (
        (width.layer, ("out_features", "out_channels")),
        *((norm, ("num_features", "num_channels", "normalized_shape")) for norm in width.norms),
        *((reader, ("in_features", "in_channels")) for reader in width.readers),
    ):
        for name in names:
            value = vars(module).get(name)
            if value is not None:
                setattr(module, name, (value[0] * factor,) if isinstance(value, tuple) else value * factor)
    return undo


class Undo:
    """Modules as they were.

    Args:
        modules: The modules.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._kept = [(m, dict(vars(m)), dict(m._buffers), _data(m)) for m in dict.fromkeys(modules)]

    def __call__(self) -> None:
        """Put everything back."""
        for module, values, buffers, data in self._kept:
            vars(module).update(values)
            module._buffers.update(buffers)
            for name, tensor in data.items():
                parameter = module._parameters[name]
                assert parameter is not None
                parameter.data = tensor


def shapes(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[torch.Size] | None:
    """Return the shapes of what a network gives, in a run without a trace; None where it does not run."""
    found: list[torch.Size] = []

    def note(module: nn.Module, given: Any, result: Any) -> None:
        found.extend(tensor.shape for tensor in tensors_in(result))

    handle = (original_of(network) or network).register_forward_hook(note)
    try:
        return found if run_through(network, args, kwargs) else None
    finally:
        handle.remove()


def _data(module: nn.Module) -> dict[str, Tensor]:
    return {name: p.data for name, p in module._parameters.items() if p is not None}


@torch.no_grad()
def _grow(module: nn.Module, sides: Mapping[str, int], factor: int, scale: float, generator: torch.Generator) -> None:
    """Draw tensors of a module anew, longer along one of their sides."""
    for name, side in sides.items():
        old = module._parameters.get(name) if name in module._parameters else module._buffers.get(name)
        if old is None:
            continue
        shape = list(old.shape)
        shape[side] *= factor
        std, mean = float(old.float().std(correction=0)), float(old.float().mean())
        center = mean if abs(mean) > std else 0.0
        drawn = torch.empty(shape).uniform_(-1, 1, generator=generator) * (3**0.5 * std * scale) + center
        new = drawn.to(old.device, old.dtype)
        if name in module._parameters:
            old.data = new
        else:
            module._buffers[name] = new
