"""A step of a model and a loss, written in the slowest and most obvious way, and dense Hessians to compare with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unstuck.measure.step import Activation, CustomCall, Head, LayerTrace, LossCall, Modes, Response, Trace, UpdateRule

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.GELU: "gelu",
    nn.Softmax: "softmax",
}

SGD = UpdateRule("SGD", "sgd", [], 0.0, False, 0.0, [], False, None)


@dataclass
class ModuleStep:
    """One step of ``model`` on ``inputs`` with ``criterion(output, targets)``; traced in an ``nn.Sequential``."""

    model: nn.Module
    criterion: Callable[[Tensor, Tensor], Tensor]
    inputs: Tensor
    targets: Tensor
    rule: UpdateRule = SGD
    lr: float = 0.1
    weight_decay: float | list[float] = 0.0
    optimizer_step: int = 0
    names: list[str] = field(init=False)
    params: list[Tensor] = field(init=False)
    grads: list[Tensor] = field(init=False)
    real_grads: list[Tensor] = field(init=False)
    updates: list[Tensor] = field(init=False)
    batch_size: int | None = field(init=False)
    calls: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        named = dict(self.model.named_parameters())
        self.names = list(named)
        self.params = [param.detach().clone() for param in named.values()]
        self.batch_size = len(self.inputs)
        decay = self.weight_decay if isinstance(self.weight_decay, list) else [self.weight_decay] * len(named)
        self.rule = replace(self.rule, lr=self.rule.lr or [self.lr] * len(named), weight_decay=decay)
        leaves = [param.clone().requires_grad_() for param in self.params]
        found = torch.autograd.grad(self.loss(leaves), leaves, allow_unused=True)
        self.grads = [torch.zeros_like(p) if g is None else g for p, g in zip(self.params, found, strict=True)]
        self.real_grads = [grad.clone() for grad in self.grads]
        self.updates = [
            -lr * (grad + wd * param)
            for lr, wd, grad, param in zip(self.rule.lr, decay, self.grads, self.params, strict=True)
        ]
        self.calls = 0

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        self.calls += 1
        output = functional_call(self.model, dict(zip(self.names, params, strict=True)), (self.inputs,))
        return self.criterion(output, self.targets)

    @property
    def losses(self) -> list[LossCall]:
        return []

    @property
    def heads(self) -> list[Head]:
        return []

    @property
    def modes(self) -> Modes:
        return Modes()

    def output_tail(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        return None

    def response(self) -> Response | None:
        named = dict(zip(self.names, self.params, strict=True))
        return Response(self.inputs, lambda inputs: functional_call(self.model, named, (inputs,)))

    def exact(self) -> ExactReference:
        return ExactReference(self)

    def trace(self, params: Sequence[Tensor]) -> Trace:
        assert isinstance(self.model, nn.Sequential)
        named = dict(zip(self.names, params, strict=True))
        value = self.inputs
        layers: list[dict[str, Any]] = []
        for name, module in self.model.named_children():
            own = {key: named[f"{name}.{key}"] for key, _ in module.named_parameters()}
            before, value = value, functional_call(module, own, (value,))
            if own:
                kind = {nn.Linear: "linear", nn.Conv2d: "conv"}.get(type(module), "other")
                indices = [self.names.index(f"{name}.{key}") for key in own]
                unit_dim = 1 if kind == "conv" else value.dim() - 1
                layers.append(
                    {"name": name, "kind": kind, "parameters": indices, "input": before, "pre": value}
                    | {"unit_dim": unit_dim, "activation": None}
                )
            elif type(module) in ACTIVATIONS and layers and layers[-1]["pre"] is before:
                layers[-1]["activation"] = Activation(ACTIVATIONS[type(module)], value)
        return Trace(self.criterion(value, self.targets), [LayerTrace(**layer) for layer in layers])


class ExactReference:
    """The step in double precision: every forward begins at the same random state, and leaves no trace."""

    def __init__(self, step: ModuleStep) -> None:
        self._step = step
        self._model = copy.deepcopy(step.model).double()
        self._data = [_double(step.inputs), _double(step.targets)]
        self._state = torch.get_rng_state()
        self.params = [param.detach().double() for param in step.params]
        self.layers: list[tuple[str, list[int]]] = []
        for i, name in enumerate(step.names):
            layer = name.rpartition(".")[0] or name
            if not self.layers or self.layers[-1][0] != layer:
                self.layers.append((layer, []))
            self.layers[-1][1].append(i)
        self.calls = 0

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        self.calls += 1
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._state)
            named = dict(zip(self._step.names, params, strict=True))
            return self._step.criterion(functional_call(self._model, named, (self._data[0],)), self._data[1])

    def functions(self) -> list[CustomCall]:
        return []


def dense_hessian(step: ModuleStep) -> Tensor:
    """Return the Hessian of the loss in float64, decay not included."""
    wide = ModuleStep(
        copy.deepcopy(step.model).double(), step.criterion, _double(step.inputs), _double(step.targets), SGD, step.lr
    )
    leaves = [param.clone().requires_grad_() for param in wide.params]
    gradients = torch.autograd.grad(wide.loss(leaves), leaves, create_graph=True)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    rows = [torch.autograd.grad(entry, leaves, retain_graph=True, materialize_grads=True) for entry in flat]
    return torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows])


def _double(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor


def top(matrix: Tensor) -> float:
    """Return the largest eigenvalue of a dense symmetric matrix."""
    return float(torch.linalg.eigvalsh(matrix)[-1])
