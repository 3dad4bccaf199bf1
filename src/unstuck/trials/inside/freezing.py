"""Which parameters make up a half of a network, from the calls of a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from unstuck.trials.inside.rehearsal import Op

#: Index of the frozen part of a parameter.
Rows = slice | tuple[slice, ...]


def hidden_rows(ops: Sequence[Op]) -> list[tuple[Tensor, Rows]]:
    """Return weights and biases of the hidden linear and convolutional layers, with every second unit of them."""
    found: list[tuple[Tensor, Rows]] = []
    second = slice(1, None, 2)
    for layer in _modules(op for op in ops if op.hidden):
        if isinstance(layer, (nn.Linear, _ConvNd)):
            turned = isinstance(layer, _ConvTransposeNd)  # its weight has the inputs first
            for name, parameter in layer.named_parameters(recurse=False):
                found.append((parameter, (slice(None), second) if turned and name == "weight" else second))
    return found


def whole_layers(ops: Sequence[Op]) -> list[tuple[Tensor, Rows]]:
    """Return the parameters of the first half of the layers, whole; of three layers it is one."""
    layers = _modules(ops)
    half = layers[: len(layers) // 2]
    return [(parameter, slice(None)) for layer in half for parameter in layer.parameters(recurse=False)]


def _modules(ops: Iterable[Op]) -> list[nn.Module]:
    return list(dict.fromkeys(op.module for op in ops if op.kind == "layer" and op.module is not None))
