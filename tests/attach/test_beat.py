"""Ordinary steps, which are noted without being looked at: none is lost, none is counted twice."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn
from torch.optim import optimizer as optimizers
from torch.overrides import TorchFunctionMode

import unstuck
from unstuck.attach.attachment import Attachment
from unstuck.attach.beat import losses_in, with_another
from unstuck.record.reader import Run, read_run
from unstuck.settings import Settings


def watched(folder, train, probes: bool = False) -> tuple[Run, list[float], int]:
    """Train; return the record, the losses and how many steps were looked at."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text('{"schema": 1}')
    attachment = Attachment(Settings(folder, probes=probes))
    looked, session = [], attachment.session
    note = session._note_step

    def counted(*what):
        looked.append(what)
        return note(*what)

    session._note_step = counted  # type: ignore[method-assign]
    try:
        losses = train()
    finally:
        attachment.end()
    return read_run(folder), losses, len(looked)


def loop(steps: int, *, again: bool = False, lr: float | torch.Tensor = 0.1) -> list[float]:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(torch.randn(4, 3)).square().mean()
        loss.backward()
        losses.append(loss.item())
        if again:
            other = model(torch.randn(4, 3)).abs().mean()
            other.backward()
            losses[-1] += other.item()
        optimizer.step()
    return losses


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("probes", [False, True])
def test_every_step_is_in_the_record_with_its_loss(tmp_path, again, probes):
    run, losses, looked = watched(tmp_path / "run", lambda: loop(6000, again=again), probes)
    pulse = run.pulse[0]
    assert pulse.step.tolist() == list(range(6000))
    assert pulse.loss.tolist() == pytest.approx(losses, rel=1e-5)
    assert bool((pulse.time[1:] >= pulse.time[:-1]).all())
    assert looked < 6000  # the others were ordinary


def test_a_schedule_is_seen_at_every_step(tmp_path):
    def train():
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        rates = []
        for _ in range(4000):
            model(torch.ones(1, 3)).square().mean().backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        return rates

    run, rates, _ = watched(tmp_path / "run", train)
    assert run.pulse[0].lr.tolist() == pytest.approx(rates, rel=1e-5)


def test_backward_under_a_mode_of_the_program_counts_once(tmp_path):
    class Passes(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    def train():
        with Passes():
            return loop(3000)

    run, losses, _ = watched(tmp_path / "run", train)
    assert run.pulse[0].loss.tolist() == pytest.approx(losses, rel=1e-5)


def test_steps_of_two_optimizers_in_turn(tmp_path):
    def train():
        models = [nn.Linear(3, 1), nn.Linear(3, 1)]
        optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
        losses: list[float] = []
        for step in range(3000):
            which = (step // 500) % 2
            optimizers[which].zero_grad()
            loss = models[which](torch.ones(2, 3)).square().mean() + which
            loss.backward()
            losses.append(loss.item())
            optimizers[which].step()
        return losses

    run, losses, _ = watched(tmp_path / "run", train)
    of = [[loss for step, loss in enumerate(losses) if (step // 500) % 2 == which] for which in (0, 1)]
    for which in (0, 1):
        assert run.pulse[which].loss.tolist() == pytest.approx(of[which], rel=1e-5)


def test_an_optimizer_that_goes_leaves_its_steps(tmp_path):
    def train():
        return [loss for _ in range(3) for loss in loop(1500)]

    run, losses, _ = watched(tmp_path / "run", train)
    found = [loss for index in range(3) for loss in run.pulse[index].loss.tolist()]
    assert found == pytest.approx(losses, rel=1e-5)


def test_losses_are_held_one_by_one():
    assert losses_in(None) == ()
    assert losses_in(2.0) == (2.0,)
    assert losses_in(with_another(with_another(with_another(None, 1.0), 2.0), 3.0)) == (1.0, 2.0, 3.0)


def test_the_hook_before_steps_is_there_only_while_it_is_needed(tmp_path):
    hooks = optimizers._global_optimizer_pre_hooks
    seen = []
    with unstuck.watch(probes=False, folder=tmp_path):
        assert len(hooks) == 1
        for _ in range(4):
            loop(1500)
            seen.append(len(hooks))
    # A compiler that was imported by another test may rely on the hooks: then ours stays.
    assert seen[-1] == (1 if "torch._dynamo" in sys.modules else 0)
    assert not hooks


def test_the_hook_before_steps_stays_beside_one_of_the_program(tmp_path):
    calls = []
    handle = optimizers.register_optimizer_step_pre_hook(lambda *_: calls.append(1))
    try:
        with unstuck.watch(probes=False, folder=tmp_path):
            loop(3000)
            assert len(optimizers._global_optimizer_pre_hooks) == 2
    finally:
        handle.remove()
    assert len(calls) == 3000
    assert not optimizers._global_optimizer_pre_hooks


def test_an_autograd_backward_under_a_mode_counts_once(tmp_path):
    class Passes(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    def train():
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        losses = []
        for _ in range(2000):
            with Passes():
                loss = model(torch.ones(1, 3)).square().mean()
                torch.autograd.backward(loss)
            losses.append(loss.item())
            optimizer.step()
            optimizer.zero_grad()
        return losses

    run, losses, _ = watched(tmp_path / "run", train)
    assert run.pulse[0].loss.tolist() == pytest.approx(losses, rel=1e-5)
