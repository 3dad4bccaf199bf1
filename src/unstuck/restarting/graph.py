"""Networks of linear layers as graphs that run for many networks at once: batched products, gradients written in place.

What has another axis in front without minding is copied as it is: functions of each number by itself, sums of two
layers, layers side by side. ``torch.fx`` tells what a network does; what is more than that is left to
``torch.func.vmap``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

#: Modules that treat each number by itself, so that another axis in front is nothing to them.
_ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardtanh,
    nn.Identity,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.Sigmoid,
    nn.SiLU,
    nn.Softplus,
    nn.Softsign,
    nn.Tanh,
)
#: Functions that do, of one tensor.
_FUNCTIONS: dict[Any, Callable[[Tensor], Tensor]] = {
    **{f: f for f in (torch.tanh, torch.sigmoid, torch.relu, torch.sin, torch.square, F.relu, F.gelu, F.silu)},
    **{F.tanh: torch.tanh, F.sigmoid: torch.sigmoid},
    **{name: getattr(torch, name) for name in ("tanh", "sigmoid", "relu", "sin", "square")},  # as methods
}
#: Operators of two tensors, or of a tensor and a number.
_OPERATORS = (operator.add, operator.sub, operator.mul, torch.add, torch.sub, torch.mul)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

#: Computes one value of all networks from those before it, with their parameters and their number.
_Step = Callable[[list[Any], Mapping[str, nn.Parameter], int], Tensor]


@dataclass(frozen=True)
class Graph:
    """What a network does, step by step. Each step appends a value; the first is the inputs, the last the outputs."""

    steps: Sequence[_Step]


def graph_of(network: nn.Module, inputs: Tensor) -> Graph | None:
    """Return what a network does, where that is linear layers and what goes between them without minding another axis.

    Args:
        network: The network.
        inputs: What it is given, ``[examples, features]``; more axes are right where they are flattened first.

    Returns:
        The graph. None where there is more in it (other modules, a layer that is used twice, frozen weights, hooks,
        anything that depends on values): then ``torch.func.vmap`` has to see through it.
    """
    if any(getattr(module, hook) for module in network.modules() for hook in _HOOKS):
        return None
    try:
        traced = fx.symbolic_trace(network)
    except Exception:  # fx says with all kinds of errors that the code depends on values
        return None
    layers = dict(network.named_modules(remove_duplicate=False))
    nodes = list(traced.graph.nodes)
    used = [node.target for node in nodes if node.op == "call_module" and type(layers[node.target]) is nn.Linear]
    own = [p for name in used for p in layers[name].parameters()]
    if not used or len(own) != len(set(map(id, own))) or set(map(id, own)) != set(map(id, network.parameters())):
        return None
    if not all(p.requires_grad for p in own) or any(True for _ in network.buffers()):
        return None
    return _steps(nodes, layers, flat=inputs.dim() == 2)


def run_graph(graph: Graph, parameters: Mapping[str, nn.Parameter], inputs: Tensor, shared: bool) -> Tensor:
    """Return the outputs of ``k`` networks; going back from them sets ``.grad`` of their parameters.

    Args:
        graph: What they do.
        parameters: Stacked parameters by name, ``[k, ...]``; their gradients are allocated, and are overwritten.
        inputs: A batch for each, ``[k, batch, ...]``; or one for all, ``[batch, ...]``.
        shared: Whether it is one for all.

    Returns:
        ``[k, batch, outputs]``.
    """
    count = len(next(iter(parameters.values())))
    # The batch goes last: it is the long axis of products with few units.
    values: list[Any] = [inputs.flatten(1 if shared else 2).mT]
    for step in graph.steps:
        values.append(step(values, parameters, count))
    outputs: Tensor = _apart(values[-1], count).mT
    return outputs


def _steps(nodes: Sequence[fx.Node], layers: Mapping[str, nn.Module], flat: bool) -> Graph | None:
    """Return the steps of a traced network, None where one is not known.

    Args:
        nodes: The nodes, in their order.
        layers: Modules by name.
        flat: Whether the inputs have two axes.
    """
    places: dict[fx.Node, int] = {}
    steps: list[_Step] = []
    for node in nodes:
        if node.op == "placeholder":
            if places:
                return None  # a second input, or a default
            places[node] = 0
        elif node.op == "output":
            return _ended(node, places, steps) if flat else None
        elif not flat and _flattens(node, layers):
            places[node], flat = 0, True  # the inputs are flattened anyhow
        else:
            step = _step(node, places, layers) if flat else None
            if step is None:
                return None
            steps.append(step)
            places[node] = len(steps)
    return None


def _ended(node: fx.Node, places: Mapping[fx.Node, int], steps: list[_Step]) -> Graph | None:
    """Return the graph that ends with a node's value, None where that is not one tensor."""
    value = node.args[0]
    if not isinstance(value, fx.Node) or not steps:
        return None
    place = places[value]
    return Graph([*steps, lambda values, parameters, count: values[place]])


def _step(node: fx.Node, places: Mapping[fx.Node, int], layers: Mapping[str, nn.Module]) -> _Step | None:
    """Return the step of a node, None where it is not known."""
    first = node.args[0] if node.args else None
    plain = node.kwargs in ({}, {"inplace": False})
    place = places[first] if isinstance(first, fx.Node) and len(node.args) == 1 and plain else None
    if node.op == "call_module":
        return None if place is None else _of_module(str(node.target), layers[str(node.target)], place)
    if node.target in (torch.cat, torch.concat, torch.concatenate):
        return _side_by_side(node, places)
    if node.target in _FUNCTIONS and place is not None:
        function = _FUNCTIONS[node.target]
        return lambda values, parameters, count: function(values[place])
    if node.op == "call_function" and node.target in _OPERATORS and len(node.args) == 2 and not node.kwargs:
        return _of_two(node, places)
    return None


def _of_module(name: str, module: nn.Module, place: int) -> _Step | None:
    """Return the step of a layer that is given one value."""
    if type(module) is nn.Linear:
        weight, bias = f"{name}.weight", f"{name}.bias"
        return lambda values, parameters, count: _Linear.apply(  # type: ignore[no-untyped-call]
            values[place], parameters[weight], parameters.get(bias)
        )
    if type(module) not in _ELEMENTWISE or getattr(module, "inplace", False):
        return None
    return lambda values, parameters, count: module(values[place])


def _side_by_side(node: fx.Node, places: Mapping[fx.Node, int]) -> _Step | None:
    """Return the concatenation of features: their axis is the last of a network's values, and the middle one here."""
    parts, axis = node.args[0], node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
    if axis not in (1, -1) or not isinstance(parts, (list, tuple)) or not all(part in places for part in parts):
        return None
    of = [places[part] for part in parts]  # type: ignore[index]
    return lambda values, parameters, count: torch.cat([_apart(values[place], count) for place in of], 1)


def _of_two(node: fx.Node, places: Mapping[fx.Node, int]) -> _Step | None:
    """Return an operator's step."""
    function: Any = node.target
    if not all(isinstance(argument, (fx.Node, int, float)) for argument in node.args):
        return None
    one, other = ((places[a], True) if isinstance(a, fx.Node) else (a, False) for a in node.args)

    def take(values: list[Any], argument: tuple[Any, bool], count: int) -> Any:
        return _apart(values[argument[0]], count) if argument[1] else argument[0]

    return lambda values, parameters, count: function(take(values, one, count), take(values, other, count))


def _apart(value: Tensor, count: int) -> Tensor:
    """Return a value with an axis for the networks, which what comes from shared inputs alone has not."""
    return value if value.dim() == 3 else value.expand(count, *value.shape)


def _flattens(node: fx.Node, layers: Mapping[str, nn.Module]) -> bool:
    """Whether a node flattens the inputs to two axes."""
    if node.op == "call_module":
        module = layers[str(node.target)]
        return type(module) is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1)
    return node.target in (torch.flatten, "flatten") and node.args[1:] == (1,) and not node.kwargs


class _Linear(torch.autograd.Function):
    """``W x + b`` of every network, ``[k, outputs, batch]``; ``x`` has no axis for the networks where they share it.

    Autograd would allocate the gradient of all weights anew at every step, and in small batches that costs most:
    touching fresh memory takes longer than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: nn.Parameter, bias: nn.Parameter | None) -> Tensor:
        ctx.save_for_backward(x)
        ctx.weight, ctx.bias = weight, bias
        if x.dim() == 3:
            return torch.bmm(weight, x) if bias is None else torch.baddbmm(bias.unsqueeze(2), weight, x)
        rows = weight.flatten(0, 1)  # one batch for all: a single product
        z = rows @ x if bias is None else torch.addmm(bias.reshape(-1, 1), rows, x)
        return z.view(*weight.shape[:2], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None]:
        (x,), (d,) = ctx.saved_tensors, gradients
        weight, bias = ctx.weight, ctx.bias
        if x.dim() == 3:
            torch.bmm(d, x.mT, out=weight.grad)
        else:
            torch.mm(d.flatten(0, 1), x.mT, out=weight.grad.flatten(0, 1))
        if bias is not None:
            torch.sum(d, 2, out=bias.grad)
        return torch.bmm(weight.mT, d) if ctx.needs_input_grad[0] else None, None, None
