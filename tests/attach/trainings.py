"""Small trainings, one for each way in which a step can be written: each returns its modules and parameters.

``REPLAYED`` must be computed again exactly, ``NOT_REPLAYED`` must say why not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

State = list[Tensor]
Training = Callable[[], State]


def _state(*things: Any) -> State:
    """Everything that training changes: parameters, buffers, optimizer state, the random generator."""
    tensors: list[Tensor] = [torch.get_rng_state()]
    for thing in things:
        if isinstance(thing, nn.Module):
            tensors += [t.detach().clone() for t in thing.state_dict().values()]
        elif isinstance(thing, Tensor):
            tensors.append(thing.detach().clone())
        else:
            tensors += [v for state in thing.state.values() for v in state.values() if isinstance(v, Tensor)]
    return tensors


def _train(
    model: nn.Module,
    loss: Callable[[Tensor], Tensor] | None = None,
    make: Callable[..., Any] = torch.optim.Adam,
    data: Callable[[], Tensor] = lambda: torch.randn(6, 5),
    steps: int = 4,
) -> State:
    optimizer = make(model.parameters(), lr=0.01)
    loss = loss or (lambda x: model(x).square().mean())
    for _ in range(steps):
        optimizer.zero_grad()
        loss(data()).backward()
        optimizer.step()
    return _state(model, optimizer)


def _net(*between: nn.Module, width: int = 8) -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, width), *(between or (nn.Tanh(),)), nn.Linear(width, 3))


def modules() -> State:
    return _train(_net())


def functional_losses() -> State:
    model = _net()
    target = torch.randint(3, (6,))
    return _train(model, lambda x: F.cross_entropy(model(x), target) + 0.1 * F.mse_loss(model(x), torch.ones(6, 3)))


def raw_tensors() -> State:
    w, b = torch.randn(5, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.1, momentum=0.9)
    for _ in range(4):
        x = torch.randn(6, 5)
        h = torch.sigmoid(x @ w + b)
        loss = -(h.clamp(1e-6).log()).mean() + (w**2).sum() / 100 + h[:, 0].max() - h.T[1].std()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return _state(w, b, optimizer)


def accumulation() -> State:
    model = _net(nn.Dropout(0.5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        for _ in range(3):
            (model(torch.randn(6, 5)).square().mean() / 3).backward()
        optimizer.step()
    return _state(model)


def two_losses_one_graph() -> State:
    model = _net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        out = model(torch.randn(6, 5))
        out[:, 0].mean().backward(retain_graph=True)
        torch.autograd.backward([out[:, 1].mean(), out[:, 2]], [None, torch.ones(6) / 6])
        optimizer.step()
    return _state(model)


def gradients_never_zeroed() -> State:
    model = _net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(4):
        model(torch.randn(6, 5)).square().mean().backward()
        optimizer.step()
    return _state(model)


def clipped() -> State:
    model = _net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        (100 * model(torch.randn(6, 5)).square().mean()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    return _state(model)


def dropout() -> State:
    return _train(_net(nn.Dropout(0.5), nn.ReLU(), nn.AlphaDropout(0.2)))


def random_numbers_in_the_loss() -> State:
    model = _net(nn.RReLU())
    return _train(model, lambda x: (model(x + torch.randn_like(x)) * torch.rand(3)).square().mean())


def batch_norm() -> State:
    return _train(_net(nn.BatchNorm1d(8), nn.ReLU()))


def batch_norm_in_evaluation() -> State:
    model = _net(nn.BatchNorm1d(8), nn.ReLU())
    model.eval()
    return _train(model)


def convolutions() -> State:
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16, 3),
    )  # fmt: skip
    return _train(model, data=lambda: torch.randn(6, 2, 4, 4))


def in_place() -> State:
    model = _net(nn.ReLU(inplace=True))

    def loss(x: Tensor) -> Tensor:
        h = model(x) * 2
        h += 1
        h[:, 0] = 0.5
        h.mul_(h.detach().mean() + 1)
        return h.square().mean()

    return _train(model, loss)


def autocast() -> State:
    model = _net(nn.ReLU())

    def loss(x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(x)
        return out.float().square().mean()

    return _train(model, loss)


def scaler() -> State:
    model = _net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    grad_scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for _ in range(4):
        optimizer.zero_grad()
        grad_scaler.scale(model(torch.randn(6, 5)).square().mean()).backward()
        grad_scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        grad_scaler.step(optimizer)
        grad_scaler.update()
    return _state(model)


def lbfgs() -> State:
    model = _net()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    x = torch.randn(6, 5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.step(closure)
    return _state(model)


def gan() -> State:
    maker, critic = _net(), nn.Sequential(nn.Linear(3, 6), nn.LeakyReLU(0.2), nn.BatchNorm1d(6), nn.Linear(6, 1))
    first = torch.optim.Adam(critic.parameters(), lr=0.01)
    second = torch.optim.Adam(maker.parameters(), lr=0.01)
    bce = nn.BCEWithLogitsLoss()
    for _ in range(6):
        fake = maker(torch.randn(6, 5))
        first.zero_grad()
        bce(critic(torch.randn(6, 3)), torch.ones(6, 1)).backward()
        bce(critic(fake.detach()), torch.zeros(6, 1)).backward()
        first.step()
        second.zero_grad()
        bce(critic(fake), torch.ones(6, 1)).backward()
        second.step()
    return _state(maker, critic, first, second)


def one_loss_two_optimizers() -> State:
    body, head = nn.Linear(5, 4), nn.Linear(4, 1)
    both = [torch.optim.SGD(body.parameters(), lr=0.1), torch.optim.Adam(head.parameters(), lr=0.1)]
    for _ in range(4):
        for optimizer in both:
            optimizer.zero_grad()
        head(body(torch.randn(6, 5)).tanh()).square().mean().backward()
        for optimizer in both:
            optimizer.step()
    return _state(body, head)


def one_after_another() -> State:
    for _ in range(2):
        model = _net()
        _train(model, steps=70)
    return _state(model)


def checkpointing(reentrant: bool) -> State:
    block = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 8))
    first, last = nn.Linear(5, 8), nn.Linear(8, 1)
    model = nn.ModuleList([first, block, last])
    return _train(
        model, lambda x: last(checkpoint(block, first(x), use_reentrant=reentrant)).square().mean()
    )  # fmt: skip


def gradient_penalty() -> State:
    model = _net(nn.Tanh())

    def loss(x: Tensor) -> Tensor:
        x.requires_grad_()
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        return model(x).mean() + (slope.norm(dim=1) - 1).square().mean()

    return _train(model, loss)


def normalised_weights() -> State:
    norms = torch.nn.utils.parametrizations
    return _train(nn.Sequential(norms.weight_norm(nn.Linear(5, 8)), nn.Tanh(), norms.spectral_norm(nn.Linear(8, 3))))


def tied_weights() -> State:
    table, head = nn.Embedding(7, 4), nn.Linear(4, 7)
    head.weight = table.weight
    model = nn.ModuleList([table, head])
    tokens = torch.randint(7, (6, 3))
    return _train(model, lambda _: F.cross_entropy(head(table(tokens)).flatten(0, 1), tokens.flatten()))


def sparse_embedding() -> State:
    table = nn.Embedding(7, 4, sparse=True)
    tokens = torch.randint(7, (6, 3))
    return _train(table, lambda _: (table(tokens) - 1).square().mean(), torch.optim.SGD)


def attention() -> State:
    block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    return _train(block, lambda x: block(x, src_mask=mask).square().mean(), data=lambda: torch.randn(3, 4, 8))


def lstm() -> State:
    model = nn.LSTM(5, 8, num_layers=2, dropout=0.2, bidirectional=True)
    return _train(model, lambda x: model(x)[0].square().mean(), data=lambda: torch.randn(4, 3, 5))


def recurrent_cells() -> State:
    cell, out = nn.GRUCell(5, 8), nn.Linear(8, 1)

    def loss(x: Tensor) -> Tensor:
        h = torch.zeros(6, 8)
        for _ in range(3):
            h = cell(x, h)
        return out(h).square().mean()

    return _train(nn.ModuleList([cell, out]), loss)


class _Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x.square() * factor

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return 2 * ctx.factor * x * grad, None


def custom_function() -> State:
    model = _net()
    return _train(model, lambda x: _Double.apply(model(x), 3.0).mean())


def compiled_module() -> State:
    model = _net(nn.BatchNorm1d(8), nn.Dropout(0.5))
    compiled = torch.compile(model, backend="eager")
    return _train(model, lambda x: compiled(x).square().mean())


def compiled_in_place() -> State:
    model = _net(nn.BatchNorm1d(8), nn.Dropout(0.5))
    model.compile(backend="eager")
    return _train(model)


def compiled_function() -> State:
    model = _net(nn.BatchNorm1d(8), nn.Dropout(0.5))

    @torch.compile(backend="eager")
    def loss(x: Tensor) -> Tensor:
        return model(x + torch.randn_like(x)).square().mean()

    return _train(model, loss)


def device_block() -> State:
    with torch.device("cpu"):
        return _train(_net())


def device_block_around_steps() -> State:
    model = _net()

    def loss(x: Tensor) -> Tensor:
        with torch.device("cpu"):
            return (model(x) * torch.ones(3)).square().mean()

    return _train(model, loss)


def default_device() -> State:
    torch.set_default_device("cpu")
    try:
        return _train(_net())
    finally:
        torch.set_default_device(None)


class _Passing(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def own_mode() -> State:
    model = _net()

    def loss(x: Tensor) -> Tensor:
        with _Passing():
            return model(x).square().mean()

    return _train(model, loss)


def double_precision() -> State:
    return _train(_net().double(), data=lambda: torch.randn(6, 5, dtype=torch.float64))


def evaluation_between_steps() -> State:
    model = _net(nn.BatchNorm1d(8), nn.Dropout(0.5))

    def loss(x: Tensor) -> Tensor:
        model.eval()
        with torch.no_grad():
            model(x)
        with torch.inference_mode():
            model(x)
        model.train()
        return model(x).square().mean()

    return _train(model, loss)


REPLAYED: dict[str, Training] = {
    function.__name__.replace("_", " "): function
    for function in (
        modules, functional_losses, raw_tensors, accumulation, two_losses_one_graph, gradients_never_zeroed, clipped,
        dropout, random_numbers_in_the_loss, batch_norm, batch_norm_in_evaluation, convolutions, in_place, autocast,
        scaler, lbfgs, gan, one_loss_two_optimizers, one_after_another, gradient_penalty, normalised_weights,
        tied_weights, sparse_embedding, attention, lstm, recurrent_cells, custom_function, compiled_module,
        compiled_in_place, compiled_function, device_block, device_block_around_steps,
        default_device, own_mode, double_precision, evaluation_between_steps,
    )
}  # fmt: skip
REPLAYED["checkpointing"] = lambda: checkpointing(False)
REPLAYED["re-entrant checkpointing"] = lambda: checkpointing(True)


def script() -> State:
    return _train(torch.jit.script(_net()))


def input_changed_after_use() -> State:
    model = _net()
    scale = torch.ones(3)

    def loss(x: Tensor) -> Tensor:
        value = (model(x) + scale).square().mean()  # a sum does not need its terms for the backward pass
        scale.add_(1)
        return value

    return _train(model, loss)


def graph_from_before() -> State:
    w, b = torch.randn(5, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.1)
    shift = None
    for _ in range(4):
        shift = b * 1.0 if shift is None else shift
        optimizer.zero_grad()
        (torch.randn(6, 5) @ w + shift).square().mean().backward(retain_graph=True)
        optimizer.step()
    return _state(w, b)


def compiled_step() -> State:
    model = _net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    count = torch.zeros(1)

    @torch.compile(backend="eager")
    def step(x: Tensor) -> Tensor:
        loss = model(x).square().mean()
        loss.backward()
        count.add_(1)
        return loss

    for _ in range(4):
        optimizer.zero_grad()
        step(torch.randn(6, 5))
        optimizer.step()
    return _state(model, count)


def compiled_with_side_effect() -> State:
    model = _net()
    average = torch.zeros(3)

    @torch.compile(backend="eager")
    def loss(x: Tensor) -> Tensor:
        out = model(x)
        average.mul_(0.9).add_(out.detach().mean(0), alpha=0.1)
        return out.square().mean()

    return [*_train(model, loss), average]


NOT_REPLAYED: dict[str, tuple[Training, str]] = {
    "TorchScript": (script, r"out of sight \(CppFunction\)"),
    "an input that is changed after its use": (input_changed_after_use, r"was changed in place after its use"),
    "a graph from before the step": (graph_from_before, "computed before the step or out of sight"),
    "a compiled step": (compiled_step, "compiled code that calls backward"),
    "a compiled loss with a side effect": (compiled_with_side_effect, r"compiled code changes a tensor of shape \[3\]"),
}
