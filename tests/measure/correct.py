"""Twenty networks whose gradients are right, as different as people write them: none may be accused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.measure.reference import ModuleStep


class Through(nn.Module):
    """A network given as a function of its parts and its input."""

    def __init__(self, forward: Callable[[nn.ModuleDict, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self.parts, x)


class Cube(torch.autograd.Function):
    """A custom function that is right."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * x.square() * grad


def mlp(*between: Callable[[], nn.Module], sizes: tuple[int, ...] = (12, 30, 30, 4)) -> nn.Sequential:
    parts: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        parts.append(nn.Linear(before, after))
        parts += [make() for make in between] if i < len(sizes) - 2 else []
    return nn.Sequential(*parts)


def _classes(model: nn.Module, *shape: int, classes: int = 4, scale: float = 1.0) -> ModuleStep:
    inputs, labels = torch.randn(*(shape or (32, 12))), torch.randint(classes, (shape or (32,))[:1])
    return ModuleStep(model, lambda out, y: scale * F.cross_entropy(out, y), inputs, labels)


def _tokens(model: nn.Module) -> ModuleStep:
    return ModuleStep(model, F.cross_entropy, torch.randint(20, (16, 7)), torch.randint(4, (16,)))


def _real(model: nn.Module, criterion: Callable[[Tensor, Tensor], Tensor]) -> ModuleStep:
    return ModuleStep(model, criterion, torch.randn(32, 12), torch.randn(32, 4))


def zero_biases() -> ModuleStep:
    """Black borders and zero biases put many rectifiers exactly on their kink."""
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(8 * 36, 4),
    )  # fmt: skip
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    step = _classes(model, 8, 1, 16, 16)
    step.inputs[:, :, :5], step.inputs[:, :, 11:] = 0, 0
    return ModuleStep(model, step.criterion, step.inputs.clamp(0), step.targets)


def cnn() -> ModuleStep:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    return _classes(model, 12, 3, 12, 12)


def transformer() -> ModuleStep:
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, activation="gelu")
    return _tokens(
        Through(
            lambda p, x: p["head"](p["body"](p["table"](x)).mean(1)),
            table=nn.Embedding(20, 16),
            body=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False),
            head=nn.Linear(16, 4),
        )
    )


def _recurrent(cell: nn.Module) -> ModuleStep:
    return _tokens(
        Through(
            lambda p, x: p["head"](p["cell"](p["table"](x))[0][:, -1]),
            table=nn.Embedding(20, 10),
            cell=cell,
            head=nn.Linear(12, 4),
        )
    )


def residual() -> ModuleStep:
    """Blocks that are added to what they read, the last layer of each scaled by a small number of its own."""
    blocks = {f"block{i}": mlp(nn.SiLU, sizes=(12, 30, 12)) for i in range(4)}

    def forward(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        for name in blocks:
            x = x + parts["scale"].weight[0, 0] * parts[name](x)
        return parts["head"](x)

    scale = nn.Linear(1, 1, bias=False)
    nn.init.constant_(scale.weight, 1e-4)
    return _classes(Through(forward, scale=scale, head=nn.Linear(12, 4), **blocks))


def tiny_gradients() -> ModuleStep:
    """Sigmoids in ten layers: the first one's gradient is some 1e-9 of the last one's."""
    model = mlp(nn.Sigmoid, sizes=(12, *[10] * 10, 4))
    for parameter in model.parameters():
        parameter.data *= 0.5
    return _classes(model)


def half_autocast() -> ModuleStep:
    def forward(parts: nn.ModuleDict, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=x.dtype != torch.float64):
            return parts["net"](x)

    return _classes(Through(forward, net=mlp(nn.ReLU)))


def weight_norm() -> ModuleStep:
    norm = nn.utils.parametrizations.weight_norm
    return _classes(nn.Sequential(norm(nn.Linear(12, 30)), nn.LeakyReLU(0.1), norm(nn.Linear(30, 4))))


def fitted() -> ModuleStep:
    """A loss that is almost 0: its gradient is near what rounding makes of it."""
    model = mlp(nn.ReLU)
    step = _classes(model)
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(400):
        optimizer.zero_grad()
        step.criterion(model(step.inputs), step.targets).backward()
        optimizer.step()
    return ModuleStep(model, step.criterion, step.inputs, step.targets)


def zero_output() -> ModuleStep:
    """A last layer of zeros before an absolute error: every output lies on the kink."""
    model = mlp(nn.ReLU)
    for parameter in model[-1].parameters():
        nn.init.zeros_(parameter)
    return ModuleStep(model, F.l1_loss, torch.randn(32, 12), torch.zeros(32, 4))


CORRECT: dict[str, Callable[[], ModuleStep]] = {
    "convolutions": cnn,
    "convolutions on kinks": zero_biases,
    "transformer": transformer,
    "lstm": lambda: _recurrent(nn.LSTM(10, 12, batch_first=True)),
    "gru": lambda: _recurrent(nn.GRU(10, 12, 2, dropout=0.2, batch_first=True)),
    "batch norm": lambda: _classes(mlp(lambda: nn.BatchNorm1d(30), nn.ReLU)),
    "dropout": lambda: _classes(mlp(nn.ReLU, lambda: nn.Dropout(0.5))),
    "leaky rectifier and huber loss": lambda: _real(mlp(nn.LeakyReLU), F.huber_loss),
    "absolute error": lambda: _real(mlp(nn.ReLU), F.l1_loss),
    "absolute error on kinks": zero_output,
    "hinge loss": lambda: ModuleStep(mlp(nn.ReLU), F.multi_margin_loss, torch.randn(32, 12), torch.randint(4, (32,))),
    "custom function": lambda: _classes(
        Through(lambda p, x: p["b"](Cube.apply(p["a"](x))), a=nn.Linear(12, 30), b=nn.Linear(30, 4))
    ),
    "residual blocks": residual,
    "weight norm": weight_norm,
    "thirty layers": lambda: _classes(mlp(nn.ReLU, sizes=(12, *[20] * 29, 4))),
    "tiny gradients": tiny_gradients,
    "huge loss": lambda: _classes(mlp(nn.ReLU), scale=1e9),
    "autocast": half_autocast,
    "bfloat16": lambda: ModuleStep(
        mlp(nn.ReLU).bfloat16(), F.cross_entropy, torch.randn(32, 12).bfloat16(), torch.randint(4, (32,))
    ),
    "a loss of almost 0": fitted,
    "layer norm and hard activations": lambda: _classes(mlp(lambda: nn.LayerNorm(30), nn.Hardswish, nn.ReLU6)),
}
