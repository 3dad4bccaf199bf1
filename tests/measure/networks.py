"""Small networks with steps on them, for the conformance table and the comparison with dense Hessians."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.measure.reference import SGD, ModuleStep


class Attention(nn.Module):
    """A layer with flash attention, which has no second derivative on the CPU."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused = fused
        self.project = nn.Linear(6, 18)
        self.head = nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        query, key, value = self.project(inputs).unsqueeze(1).chunk(3, -1)
        if self.fused:
            mixed = F.scaled_dot_product_attention(query, key, value)
        else:
            mixed = (query @ key.transpose(-1, -2) / 6**0.5).softmax(-1) @ value
        return self.head(mixed.squeeze(1).mean(1))


class Recurrent(nn.Module):
    """An LSTM, whose fused oneDNN kernel has no second derivative."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.cell(inputs)[0][:, -1])


def dense(
    activation: Callable[[], nn.Module], sizes: tuple[int, ...] = (6, 8, 8, 3), *, seed: int = 0
) -> nn.Sequential:
    torch.manual_seed(seed)
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), activation()]
    return nn.Sequential(*parts[:-1])


def batch(*shape: int, classes: int = 3, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(*shape, generator=generator)
    labels = (inputs.flatten(1) @ torch.randn(inputs[0].numel(), classes, generator=generator)).argmax(1)
    return inputs, labels


def train(model: nn.Module, inputs: Tensor, labels: Tensor, steps: int, lr: float = 0.2) -> nn.Module:
    optimizer = torch.optim.SGD(model.parameters(), lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return model


def tanh_step(dtype: torch.dtype = torch.float32, **options: object) -> ModuleStep:
    inputs, labels = batch(40, 6)
    model = train(dense(nn.Tanh), inputs, labels, 30).to(dtype)
    return ModuleStep(model, F.cross_entropy, inputs.to(dtype), labels, **{"rule": SGD, **options})  # type: ignore[arg-type]


def conv_step() -> ModuleStep:
    inputs, labels = batch(12, 1, 6, 6)
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    return ModuleStep(train(model, inputs, labels, 20), F.cross_entropy, inputs, labels)


def attention_step(fused: bool = True) -> ModuleStep:
    inputs, labels = batch(10, 5, 6)
    torch.manual_seed(3)
    return ModuleStep(train(Attention(fused), inputs, labels, 20), F.cross_entropy, inputs, labels)


def recurrent_step() -> ModuleStep:
    inputs, labels = batch(10, 5, 6)
    torch.manual_seed(4)
    return ModuleStep(train(Recurrent(), inputs, labels, 20), F.cross_entropy, inputs, labels)
