"""What is read off a captured step: its layers, its losses, and the rule of its update."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.attach.watching import watch
from unstuck.attach.captured import CapturedStep

Make = Callable[..., torch.optim.Optimizer]


@pytest.fixture
def step_of(tmp_path, monkeypatch):
    """Gives the last captured step of a short training of ``model`` on ``loss``."""

    def captured(
        parameters: Any, loss: Callable[[], Tensor], make: Make = torch.optim.SGD, **options: Any
    ) -> CapturedStep:
        def train() -> None:
            optimizer = make(parameters, **{"lr": 0.01, **options})
            for _ in range(3):
                optimizer.zero_grad()
                loss().backward()
                optimizer.step()

        seen = watch(train, tmp_path / "run", monkeypatch, late=True)
        assert (seen.whys, seen.run.errors) == ([], [])
        return seen.steps[-1]

    return captured


def outline(step: CapturedStep) -> list[tuple[str, str, str | None, int]]:
    return [(layer.name, layer.kind, layer.activation, step.units_of(layer)) for layer in step.tape_layers]


def test_modules_are_layers_with_the_nonlinearity_that_follows(step_of):
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5), nn.Dropout(), nn.Tanh(),
        nn.Linear(5, 3),
    )  # fmt: skip
    x, y = torch.randn(6, 1, 4, 4), torch.randint(3, (6,))
    step = step_of(model.parameters(), lambda: F.cross_entropy(model(x), y))
    assert outline(step) == [
        ("0", "conv", None, 4), ("1", "norm", "relu", 4), ("4", "linear", "tanh", 5), ("7", "linear", None, 3)
    ]  # fmt: skip
    assert step.names == ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias", "7.weight", "7.bias"]
    assert step.batch_size == 6
    assert torch.equal(step.inputs, x)


def test_a_formula_has_layers_too(step_of):
    w, b, v = (torch.randn(shape, requires_grad=True) for shape in ((5, 4), (4,), (4, 1)))
    x = torch.randn(6, 5)
    step = step_of([w, b, v], lambda: (torch.sigmoid(x @ w + b) @ v).square().mean())
    assert outline(step) == [("parameters[0]", "linear", "sigmoid", 4), ("parameters[2]", "linear", None, 1)]
    assert step.tape_layers[0].parameters == (0, 1)


def test_weights_that_are_computed_belong_to_their_layer(step_of):
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(5, 4))
    x = torch.randn(6, 5)
    step = step_of(layer.parameters(), lambda: layer(x).relu().mean())
    assert [(kind, activation) for _, kind, activation, _ in outline(step)] == [("linear", "relu")]
    assert sorted(step.tape_layers[0].parameters) == [0, 1, 2]


def test_recurrent_attention_and_embedding_layers(step_of):
    model = nn.ModuleDict(
        {
            "table": nn.Embedding(9, 8),
            "cell": nn.LSTM(8, 8),
            "look": nn.MultiheadAttention(8, 2),
            "out": nn.Linear(8, 2),
        }
    )
    tokens = torch.randint(9, (4, 3))

    def loss() -> Tensor:
        h, _ = model["cell"](model["table"](tokens))
        return model["out"](model["look"](h, h, h)[0]).square().mean()

    kinds = [(name, kind) for name, kind, *_ in outline(step_of(model.parameters(), loss))]
    assert kinds == [("table", "embedding"), ("cell", "recurrent"), ("look", "attention"), ("out", "linear")]


def test_a_trace_gives_the_tensors_of_the_layers(step_of):
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(6, 5)
    step = step_of(model.parameters(), lambda: model(x).square().mean())
    variables = [p.clone().requires_grad_() for p in step.params]
    trace = step.trace(variables)
    first, last = trace.layers
    pre = F.linear(x, step.params[0], step.params[1])
    assert torch.equal(first.input, x)
    assert torch.equal(first.pre, pre)
    assert torch.equal(first.activation.output, pre.tanh())
    assert last.activation is None
    (grad,) = torch.autograd.grad(trace.loss, first.pre)
    assert torch.allclose(grad.sum(0), step.grads[1])


def test_the_loss_as_a_function_of_the_output(step_of):
    model = nn.Sequential(nn.Linear(5, 3))
    x, y = torch.randn(6, 5), torch.randint(3, (6,))
    step = step_of(model.parameters(), lambda: F.cross_entropy(model(x), y))
    output, tail = step.output_tail()
    assert float(tail(output)) == step.value
    assert float(tail(torch.zeros(6, 3))) == pytest.approx(math.log(3))


def test_losses_are_known_with_their_share(step_of):
    model = nn.Linear(5, 3)
    x, y = torch.randn(6, 5), torch.randint(3, (6,))

    def loss() -> Tensor:
        out = model(x)
        F.l1_loss(out, torch.ones(6, 3))  # does not enter
        first = F.cross_entropy(out, y, label_smoothing=0.1)
        return first / 4 + 2 * F.mse_loss(out, torch.ones(6, 3), reduction="sum")

    step = step_of(model.parameters(), loss)
    assert [(call.kind, call.weight) for call in step.losses] == [("cross_entropy", 0.25), ("mse_loss", 2.0)]
    call = step.losses[0]
    assert torch.equal(call.target, y)
    assert call.prediction.shape == (6, 3)
    assert call.options["label_smoothing"] == 0.1
    assert call.file.endswith("test_layers.py")
    assert "F.cross_entropy" in Path(__file__).read_text().splitlines()[call.line - 1]


@pytest.mark.parametrize(
    ("make", "options", "family", "decoupled"),
    [
        (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, "sgd", False),
        (torch.optim.Adam, {"weight_decay": 0.1}, "adam", False),
        (torch.optim.AdamW, {"weight_decay": 0.1}, "adam", True),
        (torch.optim.RMSprop, {}, "rmsprop", False),
        (torch.optim.Adagrad, {}, "other", False),
    ],
)
def test_the_rule_is_the_optimizers(step_of, make, options, family, decoupled):
    model = nn.Linear(5, 3)
    x = torch.randn(6, 5)
    groups = [{"params": [model.weight], "lr": 0.1}, {"params": [model.bias]}]
    rule = step_of(groups, lambda: model(x).square().mean(), make, **options).rule
    assert (rule.optimizer, rule.family, rule.decoupled) == (make.__name__, family, decoupled)
    assert rule.lr == [0.1, 0.01]
    assert rule.weight_decay == [options.get("weight_decay", 0.0)] * 2
    assert (rule.momentum, rule.nesterov) == (options.get("momentum", 0.0), options.get("nesterov", False))


def test_the_preconditioner_is_what_divides_the_update(step_of):
    model = nn.Linear(5, 3)
    x = torch.randn(6, 5)
    made: list[torch.optim.Optimizer] = []

    def make(*args: Any, **options: Any) -> torch.optim.Optimizer:
        made.append(torch.optim.Adam(*args, **options))
        return made[-1]

    step = step_of(model.parameters(), lambda: model(x).square().mean(), make)
    moment = made[0].state[model.weight]["exp_avg"]
    assert torch.allclose(step.updates[0], -0.01 * moment / step.rule.preconditioner[0], rtol=1e-4, atol=1e-9)


def test_rmsprop_divides_the_gradient(step_of):
    model = nn.Linear(5, 3)
    x = torch.randn(6, 5)
    step = step_of(model.parameters(), lambda: model(x).square().mean(), torch.optim.RMSprop)
    assert torch.allclose(step.updates[0], -0.01 * step.grads[0] / step.rule.preconditioner[0], rtol=1e-4, atol=1e-9)
