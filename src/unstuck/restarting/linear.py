"""Chains of linear layers, for many networks as one: batched products, gradients written where the last ones were."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

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
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

Chain = list[tuple[str, nn.Module]]


def chain_of(network: nn.Module, inputs: Tensor) -> Chain | None:
    """Return the layers of a network that is a plain chain of linear layers and elementwise activations.

    Args:
        network: The network.
        inputs: What it is given, ``[examples, ...]``; more axes are right where the first layer flattens them.

    Returns:
        Names and modules in their order. None where it is more than that (other modules, one that is used twice,
        frozen weights, hooks): then ``torch.func.vmap`` has to see through it.
    """
    if type(network) is not nn.Sequential:
        return None
    layers = list(network.named_children())  # names one that is used twice once
    plain = layers[1:] if layers and _flattens(layers[0][1]) else layers
    parameters = [p for _, module in layers for p in module.parameters()]
    fits = (
        len(layers) == len(network)
        and (inputs.dim() == 2 or plain is not layers)
        and any(type(module) is nn.Linear for _, module in plain)
        and all(type(module) in (nn.Linear, *_ELEMENTWISE) for _, module in plain)
        and all(p.requires_grad for p in parameters)
        and len(parameters) == len(set(map(id, parameters)))
        and not any(getattr(module, hook) for module in network.modules() for hook in _HOOKS)
    )
    return plain if fits else None


def run_chain(chain: Chain, parameters: dict[str, nn.Parameter], inputs: Tensor, shared: bool) -> Tensor:
    """Return the outputs of ``k`` networks; going back from them sets ``.grad`` of their parameters.

    Args:
        chain: The layers.
        parameters: Stacked parameters by name, ``[k, ...]``; their gradients are allocated, and are overwritten.
        inputs: A batch for each, ``[k, batch, ...]``; or one for all, ``[batch, ...]``.
        shared: Whether it is one for all.

    Returns:
        ``[k, batch, outputs]``.
    """
    hidden = inputs.flatten(1 if shared else 2).mT  # the batch last: it is the long axis of products with few units
    for name, module in chain:
        if type(module) is nn.Linear:
            hidden = _Linear.apply(hidden, parameters[f"{name}.weight"], parameters.get(f"{name}.bias"))  # type: ignore[no-untyped-call]
        else:
            hidden = module(hidden)
    return hidden.mT


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


def _flattens(module: nn.Module) -> bool:
    return type(module) is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1)
