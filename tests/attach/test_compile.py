"""Under ``torch.compile`` the same graphs are made with us and without us, of the same operations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.attach.watching import plain, watch

Counter = Any
Program = Callable[[Counter], Any]


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 1))


def loop(model: nn.Module, loss: Callable[[Tensor], Tensor], step: Any = None, optimizer: Any = None) -> list[Tensor]:
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    step = step or optimizer.step
    for size in (4, 4, 7, 4, 9, 4):
        optimizer.zero_grad()
        loss(torch.randn(size, 5)).backward()
        step()
    return [p.detach().clone() for p in [*model.parameters(), *model.buffers()]]


def module(counter: Counter) -> Any:
    model = network()
    compiled = torch.compile(model, backend=counter)
    return loop(model, lambda x: compiled(x).square().mean())


def part(counter: Counter) -> Any:
    model = network()
    model[0] = torch.compile(model[0], backend=counter)
    return loop(model, lambda x: model(x).square().mean())


def nested_functions(counter: Counter) -> Any:
    model = network()

    @torch.compile(backend=counter)
    def inner(x: Tensor) -> Tensor:
        return torch.tanh(x) * 2

    @torch.compile(backend=counter, fullgraph=True)
    def outer(x: Tensor) -> Tensor:
        return inner(model(x)).square().mean()

    return loop(model, outer)


def forward_and_backward(counter: Counter) -> Any:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @torch.compile(backend=counter)
    def step(x: Tensor) -> None:
        model(x).square().mean().backward()

    for _ in range(5):
        optimizer.zero_grad()
        step(torch.randn(4, 5))
        optimizer.step()
    return list(model.parameters())


def optimizer_step(counter: Counter) -> Any:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step = torch.compile(lambda: optimizer.step(), backend=counter)
    return loop(model, lambda x: model(x).square().mean(), step, optimizer)


def optimizer_method(counter: Counter) -> Any:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    return loop(model, lambda x: model(x).square().mean(), torch.compile(optimizer.step, backend=counter), optimizer)


def everything(counter: Counter) -> Any:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    @torch.compile(backend=counter)
    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(5):
        step(torch.randn(4, 5))
    return list(model.parameters())


def clipping(counter: Counter) -> Any:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    clip = torch.compile(lambda: nn.utils.clip_grad_norm_(model.parameters(), 0.1), backend=counter)

    def step() -> None:
        clip()
        optimizer.step()

    return loop(model, lambda x: model(x).square().mean(), step, optimizer)


def modules_made_inside(counter: Counter) -> Any:
    model = network()
    loss = torch.compile(lambda x: nn.Flatten()(nn.ReLU()(model(x))).mean(), backend=counter)
    return loop(model, loss)


def evaluation_between_steps(counter: Counter) -> Any:
    model = network()
    compiled = torch.compile(model, backend=counter)

    def loss(x: Tensor) -> Tensor:
        model.eval()
        with torch.no_grad():
            compiled(x)
        model.train()
        return compiled(x).square().mean()

    return loop(model, loss)


PROGRAMS = [
    module, part, nested_functions, forward_and_backward, optimizer_step, optimizer_method, everything, clipping,
    modules_made_inside, evaluation_between_steps,
]  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_compiler():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        yield
    torch._dynamo.reset()


def compiling(program: Program) -> tuple[Callable[[], Any], Any]:
    from torch._dynamo.testing import CompileCounter

    torch._dynamo.reset()
    counter = CompileCounter()
    return lambda: program(counter), counter


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__.replace("_", " "))
def test_the_graphs_are_the_same(program, tmp_path, monkeypatch):
    run, without = compiling(program)
    expected = plain(run)
    run, counter = compiling(program)
    seen = watch(run, tmp_path / "run", monkeypatch)
    assert without.frame_count > 0
    assert (counter.frame_count, counter.op_count) == (without.frame_count, without.op_count)
    assert all(torch.equal(a, b) for a, b in zip(seen.result, expected, strict=True))
    assert seen.run.errors == []
    assert seen.run.probes != []


@pytest.mark.parametrize("kind", ["module", "function"])
def test_what_was_compiled_before_is_left_alone(kind, tmp_path, monkeypatch):
    """A compiled function from before the attachment cannot be looked into, but neither is it compiled anew."""
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    model = network()
    compiled = torch.compile(model, backend=counter)
    function = torch.compile(lambda x: model(x).square().mean(), backend=counter)
    loss = function if kind == "function" else lambda x: compiled(x).square().mean()
    loop(model, loss)
    before = counter.frame_count
    seen = watch(lambda: loop(model, loss), tmp_path / "run", monkeypatch, late=True)
    assert counter.frame_count == before
    assert seen.run.errors == []
    assert seen.run.probes != []
    if kind == "module":
        assert seen.whys == []
    else:
        assert len(seen.whys) == len(seen.run.probes)
        assert all("compiled before unstuck was attached" in why for why in seen.whys)
