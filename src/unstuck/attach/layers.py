"""Reading the network's layers off a tape: which operations use a weight, and which nonlinearity follows them.

Nothing is asked of the modules: a network written with raw tensors has layers too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from unstuck.attach.sources import Line
from unstuck.attach.tape import Constant, Op, Slot

#: Operation -> (kind of layer, position of its input, of its weight, dimension of its output that counts units).
_LAYERS: dict[str, tuple[str, int, int, int]] = {
    "linear": ("linear", 0, 1, -1),
    "bilinear": ("linear", 0, 2, -1),
    "matmul": ("linear", 0, 1, -1),
    "__matmul__": ("linear", 0, 1, -1),
    "__rmatmul__": ("linear", 1, 0, 0),
    "mm": ("linear", 0, 1, -1),
    "addmm": ("linear", 1, 2, -1),
    "einsum": ("linear", 1, 2, -1),
    "conv1d": ("conv", 0, 1, 1),
    "conv2d": ("conv", 0, 1, 1),
    "conv3d": ("conv", 0, 1, 1),
    "conv_transpose1d": ("conv", 0, 1, 1),
    "conv_transpose2d": ("conv", 0, 1, 1),
    "conv_transpose3d": ("conv", 0, 1, 1),
    "batch_norm": ("norm", 0, 3, 1),
    "instance_norm": ("norm", 0, 3, 1),
    "group_norm": ("norm", 0, 2, 1),
    "layer_norm": ("norm", 0, 2, -1),
    "rms_norm": ("norm", 0, 2, -1),
    "embedding": ("embedding", 0, 1, -1),
    "embedding_bag": ("embedding", 0, 1, -1),
    "lstm": ("recurrent", 0, 2, -1),
    "gru": ("recurrent", 0, 2, -1),
    "rnn_tanh": ("recurrent", 0, 2, -1),
    "rnn_relu": ("recurrent", 0, 2, -1),
    "lstm_cell": ("recurrent", 0, 2, -1),
    "gru_cell": ("recurrent", 0, 2, -1),
    "rnn_tanh_cell": ("recurrent", 0, 2, -1),
    "rnn_relu_cell": ("recurrent", 0, 2, -1),
    "multi_head_attention_forward": ("attention", 0, 5, -1),
}
#: Operation -> name of the nonlinearity, in torch's own words.
ACTIVATIONS = {
    name: name.rstrip("_")
    for name in (
        "relu relu_ leaky_relu leaky_relu_ prelu sigmoid sigmoid_ logsigmoid tanh tanh_ gelu silu elu elu_ selu celu "
        "softplus hardtanh relu6 hardsigmoid hardswish mish softsign softmax log_softmax threshold tanhshrink "
        "hardshrink softshrink clamp clamp_min sin"
    ).split()
}
#: What may stand between a layer and its nonlinearity without being either: dropout, a change of shape, a scalar.
_BETWEEN = frozenset(
    "dropout view reshape flatten squeeze unsqueeze contiguous float to sub __sub__ rsub __rsub__ mul __mul__ __rmul__ "
    "div __truediv__ neg __neg__".split()
)
_SUMS = frozenset({"add", "__add__", "__radd__", "add_", "__iadd__"})


@dataclass(frozen=True)
class TapeLayer:
    """One use of a weight on the tape.

    Attributes:
        name: Name of the layer: its parameters' common name.
        kind: ``linear``, ``conv``, ``norm``, ``embedding``, ``recurrent`` or ``attention``.
        parameters: Indices of its parameters.
        input: Slot or constant that it reads.
        pre: Slot of its output, the pre-activation.
        unit_dim: Dimension of the output that counts units.
        activation: Name of the nonlinearity that reads the output, or None.
        post: Slot of the nonlinearity's output.
        line: Line of the program that called it.
    """

    name: str
    kind: str
    parameters: tuple[int, ...]
    input: Slot | Constant | None
    pre: int
    unit_dim: int
    activation: str | None
    post: int | None
    line: Line | None


def read_layers(ops: Sequence[Op], place_of: Callable[[int], int | None], names: Sequence[str]) -> list[TapeLayer]:
    """Find the layers among the operations of a step.

    Args:
        ops: Operations in order.
        place_of: Index of the parameter that a slot stands for, None where it is none.
        names: Name of each parameter.

    Returns:
        The layers in the order in which they ran; a layer that ran several times stands there several times.
    """
    sources = _parameter_sources(ops, place_of)
    found: list[TapeLayer] = []
    by_pre: dict[int, int] = {}
    for op in ops:
        layer = _layer(op, sources, names)
        if layer is not None:
            by_pre[layer.pre] = len(found)
            found.append(layer)
        elif op.outputs and op.outputs[0] is not None:
            _follow(op, op.outputs[0], found, by_pre, sources)
    return found


def _parameter_sources(ops: Iterable[Op], place_of: Callable[[int], int | None]) -> dict[int, tuple[int, ...]]:
    """Return, for each slot computed from parameters alone (a weight norm, a transpose), the parameters behind it."""
    sources: dict[int, tuple[int, ...]] = {}

    def of(slot: int) -> tuple[int, ...] | None:
        if slot not in sources and (place := place_of(slot)) is not None:
            sources[slot] = (place,)
        return sources.get(slot)

    for op in ops:
        behind = [of(slot) for slot in op.inputs]
        pure = behind and all(b is not None for b in behind) and not _reads_data(op)
        for output in op.outputs:
            if pure and output is not None and op.name not in ("embedding", "embedding_bag"):
                sources.setdefault(output, tuple(dict.fromkeys(i for b in behind if b for i in b)))
    return sources


def _reads_data(op: Op) -> bool:
    """Whether a constant of more than one element enters: then the result is not a function of parameters alone."""
    return any(isinstance(arg, Constant) and arg.tensor.numel() > 1 for arg in op.args)


def _layer(op: Op, sources: dict[int, tuple[int, ...]], names: Sequence[str]) -> TapeLayer | None:
    entry = _LAYERS.get(op.name)
    pre = op.outputs[0] if op.outputs else None
    if entry is None or pre is None:
        return None
    kind, input_at, weight_at, unit_dim = entry
    if op.name in ("matmul", "__matmul__", "mm") and _is_weight(op, 0, sources) and not _is_weight(op, 1, sources):
        input_at, weight_at, unit_dim = 1, 0, 0
    if not _is_weight(op, weight_at, sources):
        return None
    indices = tuple(dict.fromkeys(i for slot in op.inputs for i in sources.get(slot, ())))
    given = op.args[input_at] if len(op.args) > input_at else None
    read = given if isinstance(given, (Slot, Constant)) else None
    return TapeLayer(layer_name([names[i] for i in indices]), kind, indices, read, pre, unit_dim, None, None, op.line)


def _is_weight(op: Op, position: int, sources: dict[int, tuple[int, ...]]) -> bool:
    value = op.args[position] if len(op.args) > position else op.kwargs.get("weight")
    slots = [v.index for v in value if isinstance(v, Slot)] if isinstance(value, (list, tuple)) else []
    if isinstance(value, Slot):
        slots = [value.index]
    return bool(slots) and all(slot in sources for slot in slots)


def _follow(
    op: Op, output: int, found: list[TapeLayer], by_pre: dict[int, int], sources: dict[int, tuple[int, ...]]
) -> None:
    """Extend a layer by what is done to its output: a bias added by hand, a reshape, a nonlinearity."""
    readers = [slot for slot in op.inputs if slot in by_pre]
    if len(readers) != 1:
        return
    index = by_pre[readers[0]]
    layer = found[index]
    if op.name in ACTIVATIONS and layer.activation is None:
        found[index] = replace(layer, activation=_activation_name(op), post=output)
        by_pre.pop(readers[0])
    elif op.name in _SUMS and all(slot in sources for slot in op.inputs if slot != readers[0]) and len(op.inputs) > 1:
        bias = tuple(i for slot in op.inputs if slot != readers[0] for i in sources[slot])
        found[index] = replace(layer, pre=output, parameters=tuple(dict.fromkeys((*layer.parameters, *bias))))
        by_pre[output] = by_pre.pop(readers[0])
    elif op.name in _BETWEEN | _SUMS and len(set(op.inputs)) == 1:
        by_pre[output] = by_pre[readers[0]]


def _activation_name(op: Op) -> str:
    name = ACTIVATIONS[op.name]
    if name in ("clamp", "clamp_min"):
        lowest = op.kwargs.get("min", op.args[1] if len(op.args) > 1 else None)
        highest = op.kwargs.get("max", op.args[2] if len(op.args) > 2 else None)
        return "relu" if lowest == 0 and highest is None else "hardtanh"
    return name


def layer_name(parameters: Sequence[str]) -> str:
    """Return the common name of parameters: ``net.0`` for ``net.0.weight`` and ``net.0.bias``."""
    stems = [name.rsplit(".", 1)[0] if "." in name else name for name in parameters]
    if not stems:
        return "?"
    stems = [stem.removesuffix(".parametrizations.weight") for stem in stems]
    return stems[0]


def values_of(layer: TapeLayer, env: dict[int, Tensor]) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return a layer's input, pre-activation and activation output in one evaluation."""
    given = layer.input
    read = env.get(given.index) if isinstance(given, Slot) else given.tensor if isinstance(given, Constant) else None
    post = env.get(layer.post) if layer.post is not None else None
    return read, env.get(layer.pre), post
