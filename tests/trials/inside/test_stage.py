"""The hook points of a trial."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim import optimizer as optimizers
from torch.utils.checkpoint import checkpoint

from unstuck.trials.inside.stage import Stage


@pytest.fixture
def stage():
    made = Stage(total_steps=10)
    yield made
    made.remove()


def step(net, optimizer):
    optimizer.zero_grad()
    net(torch.ones(2, 2)).sum().backward()
    optimizer.step()


def test_nothing_is_hung_in_that_nobody_asked_for():
    before = (nn.Module.__call__, Optimizer.__init__, len(optimizers._global_optimizer_pre_hooks))
    stage = Stage()
    stage.install()
    assert (nn.Module.__call__, Optimizer.__init__, len(optimizers._global_optimizer_pre_hooks)) == before
    stage.remove()


def test_torch_is_as_it_was_afterwards(stage):
    def state():
        hooks = (*optimizers._global_optimizer_pre_hooks, *optimizers._global_optimizer_post_hooks)
        return nn.Module.__call__, nn.Module.__init__, Optimizer.__init__, torch.relu, hooks

    before = state()
    stage.when_optimizer_made(lambda optimizer: None)
    stage.before_step(lambda optimizer, step: None)
    stage.before_first_forward(lambda network, args, kwargs: None)
    stage.wrap(torch, "relu", lambda original: abs)
    stage.install()
    during = state()
    assert all(now is not then for now, then in zip(during, before, strict=True))
    stage.remove()
    assert state() == before


def test_optimizers_are_told_when_they_are_made(stage):
    made = []
    stage.when_optimizer_made(made.append)
    stage.install()
    optimizer = SGD([nn.Parameter(torch.zeros(1))])
    assert made == [optimizer]
    assert made[0].param_groups


def test_steps_are_counted_for_each_optimizer(stage):
    seen = []
    stage.before_step(lambda optimizer, step: seen.append(("before", names[id(optimizer)], step)))
    stage.after_step(lambda optimizer, step: seen.append(("after", names[id(optimizer)], step)))
    stage.install()
    net = nn.Linear(2, 2)
    one, other = SGD(net.parameters()), Adam(net.parameters())
    names = {id(one): "one", id(other): "other"}
    for optimizer in (one, other, one):
        step(net, optimizer)
    assert seen == [
        (when, name, number) for name, number in (("one", 0), ("other", 0), ("one", 1)) for when in ("before", "after")
    ]


def test_only_the_phase_that_counts_is_met_and_changed():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    met, told, made, every = [], [], [], []
    is_later = lambda optimizer: all(p is not first.weight for p in optimizer.param_groups[0]["params"])  # noqa: E731
    stage = Stage(counts=is_later, concerns=is_later)
    stage.before_first_forward(lambda network, args, kwargs: met.append(network))
    stage.before_step(lambda optimizer, step: told.append(optimizer))
    stage.before_step(lambda optimizer, step: every.append(optimizer), every=True)
    stage.when_optimizer_made(made.append)
    stage.install()
    try:
        early = SGD(first.parameters())
        step(first, early)
        late = SGD(second.parameters())
        step(second, late)
        step(nn.Sequential(first, nn.Linear(2, 2)), early)
    finally:
        stage.remove()
    assert met == [second]
    assert made == told == [late]
    assert every == [early, late, early]


def test_what_is_changed_before_a_step_holds_for_it_alone(stage):
    inside = []

    def change(optimizer, step):
        optimizer.param_groups[0].update(lr=0.5, betas=(0.1, 0.2))

    def after(optimizer, step):
        inside.append(optimizer.param_groups[0]["lr"])

    stage.before_step(change)
    stage.after_step(after)
    stage.install()
    net = nn.Linear(2, 2)
    optimizer = Adam(net.parameters(), lr=0.1)
    start = net.bias.detach().clone()
    step(net, optimizer)
    assert (net.bias - start).abs().max().item() == pytest.approx(0.5, rel=1e-4)
    assert inside == [0.1]
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_a_rate_in_a_tensor_has_its_value_again(stage):
    stage.before_step(lambda optimizer, step: optimizer.param_groups[0]["lr"].mul_(10))
    stage.install()
    net, rate = nn.Linear(2, 2), torch.tensor(0.1)
    optimizer = SGD(net.parameters(), lr=rate)
    step(net, optimizer)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.1)


def test_networks_are_met_once_before_their_first_forward_pass(stage):
    met = []
    stage.before_first_forward(lambda network, args, kwargs: met.append((network, args, dict(kwargs))))
    stage.install()
    net, loss, teacher = nn.Sequential(nn.Linear(2, 2)), nn.MSELoss(), nn.Linear(2, 2).requires_grad_(False)
    inputs = torch.ones(1, 2)
    with torch.no_grad():
        net(inputs)
    assert met == []
    for _ in range(2):
        loss(net(inputs), teacher(inputs)).backward()
    assert met == [(net, (inputs,), {})]


def test_after_the_first_step_calls_are_no_longer_watched(stage):
    met = []
    original = nn.Module.__call__
    stage.before_first_forward(lambda network, args, kwargs: met.append(network))
    stage.install()
    net = nn.Linear(2, 2)
    step(net, SGD(net.parameters()))
    assert nn.Module.__call__ is original
    nn.Linear(2, 2)(torch.ones(1, 2))
    assert met == [net]


def test_a_forward_pass_that_fails_does_not_hide_the_next_network(stage):
    met = []
    stage.before_first_forward(lambda network, args, kwargs: met.append(network))
    stage.install()
    one, other = nn.Linear(2, 2), nn.Linear(3, 3)
    with pytest.raises(RuntimeError):
        one(torch.ones(1, 3))
    other(torch.ones(1, 3))
    assert met == [one, other]


def test_layers_inside_a_network_are_not_met(stage):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            return checkpoint(self.inner, x, use_reentrant=False)

    met = []
    stage.before_first_forward(lambda network, args, kwargs: met.append(network))
    stage.install()
    net = Net()
    net(torch.ones(1, 2))
    assert met == [net]


def test_the_networks_of_an_optimizer_are_the_outermost_modules(stage):
    stage.install()
    net, other, unused = nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2), nn.Linear(2, 2)
    optimizer = SGD([*net.parameters(), *other.parameters()])
    assert stage.networks(optimizer) == [net, other]
    assert unused not in stage.networks(optimizer)


def test_the_programs_line_is_the_innermost():
    line = Stage.line()
    assert line is not None
    assert Path(line[0]).name == "test_stage.py"


def test_what_a_remedy_could_not_do_is_kept_with_its_first_reason(stage):
    stage.cannot("clipping", "one")
    stage.cannot("clipping", "other")
    stage.did("schedule")
    assert stage.why_not == {"clipping": "one"}
    assert stage.applied == {"schedule"}


class Doubled(SGD):
    """An optimizer whose step calls that of its superclass, as people write them."""

    def step(self, closure=None):
        return super().step(closure)


def tenfold(stage):
    def scale(optimizer, step):
        optimizer.param_groups[0]["lr"] = optimizer.param_groups[0]["lr"] * 10

    stage.before_step(scale)
    stage.install()


def test_a_step_inside_a_step_is_one_step(stage):
    counted = []
    stage.after_step(lambda optimizer, step: counted.append(step))
    tenfold(stage)
    net = nn.Linear(2, 2)
    optimizer = Doubled(net.parameters(), lr=0.1)
    for _ in range(3):
        step(net, optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert counted == [0, 1, 2]


def test_after_a_step_that_failed_the_programs_values_are_back(stage):
    tenfold(stage)
    net = nn.Linear(2, 2)
    optimizer = SGD(net.parameters(), lr=0.1)

    def fail():
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            optimizer.step(fail)
    step(net, optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_rate_that_is_a_tensor_stays_the_programs_own(stage):
    tenfold(stage)
    net = nn.Linear(2, 2)
    rate = torch.tensor(0.5)
    optimizer = SGD(net.parameters(), lr=rate)
    step(net, optimizer)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate == 0.5
