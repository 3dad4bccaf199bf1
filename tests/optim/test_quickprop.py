"""Quickprop has the manners of torch's own optimizers."""

from __future__ import annotations

import copy
import doctest
import pickle
from io import BytesIO

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.optimizer import register_optimizer_step_post_hook

import unstuck.optim.quickprop
from unstuck.optim import Quickprop


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def train(net, optimizer, steps=6, scheduler=None):
    inputs = torch.linspace(-1, 1, 30, dtype=torch.float64).reshape(10, 3)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (net(inputs) - inputs[:, :2].sin()).square().sum()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        losses.append(loss.item())
    return losses


def flat(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_the_docstrings_example_is_so():
    assert doctest.testmod(unstuck.optim.quickprop).attempted >= 8
    assert doctest.testmod(unstuck.optim.quickprop).failed == 0


def test_it_learns():
    net = network()
    losses = train(net, Quickprop(net.parameters(), 0.01), 100)
    assert losses[-1] < 1e-3 * losses[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "Invalid learning rate: -1.0"),
        ({"lr": float("nan")}, "Invalid learning rate: nan"),
        ({"lr": torch.ones(2)}, "Tensor lr must be 1-element"),
        ({"mu": 0.0}, "Invalid mu value: 0.0"),
        ({"mu": float("inf")}, "Invalid mu value: inf"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
    ],
)
def test_wrong_values_are_refused_as_torch_does(options, message):
    with pytest.raises(ValueError, match=message):
        Quickprop([torch.zeros(1)], **options)
    with pytest.raises(ValueError, match=message):
        Quickprop([{"params": [torch.zeros(1)], **options}])


def test_what_does_not_go_together_is_refused():
    with pytest.raises(RuntimeError, match="`foreach` does not support `differentiable`"):
        Quickprop([torch.zeros(1)], foreach=True, differentiable=True)
    with pytest.raises(ValueError, match="empty parameter list"):
        Quickprop([])
    with pytest.raises(TypeError, match="param_group must be a dict"):
        Quickprop([torch.zeros(1)]).add_param_group([torch.zeros(1)])


def test_groups_have_values_of_their_own_and_more_can_come():
    def one(lr, mu, decay):
        param = torch.ones(2, requires_grad=True)
        return param, Quickprop([param], lr, mu, decay)

    settings = [(0.1, 1.75, 0.0), (0.2, 1.2, 0.1)]
    single = [one(*values) for values in settings]
    params = [torch.ones(2, requires_grad=True) for _ in settings]
    both = Quickprop([{"params": [params[0]]}], 0.1)
    both.add_param_group({"params": [params[1]], "lr": 0.2, "mu": 1.2, "weight_decay": 0.1})
    for step in range(5):
        gradient = torch.tensor([1.0, -0.5]) / (step + 1)
        for param in (*params, *(p for p, _ in single)):
            param.grad = gradient.clone()
        for optimizer in (both, *(o for _, o in single)):
            optimizer.step()
    assert all(torch.equal(p, q) for p, (q, _) in zip(params, single, strict=True))
    assert not torch.equal(*params)


def test_weight_decay_counts_as_slope_and_maximize_goes_up():
    plain, up = torch.tensor([2.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    down = Quickprop([plain], 0.1, weight_decay=0.5)
    other = Quickprop([up], 0.1, weight_decay=0.5, maximize=True)
    for slope in (1.0, 0.4, -0.3):
        plain.grad, up.grad = torch.tensor([slope]), torch.tensor([-slope])
        down.step()
        other.step()
    assert torch.equal(plain, up)
    assert down.state[plain]["slope"].item() == pytest.approx(-0.3 + 0.5 * (plain - down.state[plain]["delta"]).item())


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("way", ["state_dict", "torch.save", "deepcopy", "pickle"])
def test_it_goes_on_bit_for_bit_after_a_round_trip(foreach, way):
    net = network()
    optimizer = Quickprop(net.parameters(), 0.01, foreach=foreach)
    train(net, optimizer)
    if way in ("deepcopy", "pickle"):
        pair = (net, optimizer)
        again, second = copy.deepcopy(pair) if way == "deepcopy" else pickle.loads(pickle.dumps(pair))
    else:
        again, state = copy.deepcopy(net), copy.deepcopy(optimizer.state_dict())  # torch shares the tensors
        if way == "torch.save":
            file = BytesIO()
            torch.save(state, file)
            file.seek(0)
            state = torch.load(file, weights_only=True)
        second = Quickprop(again.parameters(), 99.0)
        second.load_state_dict(state)
    train(net, optimizer)
    train(again, second)
    assert torch.equal(flat(net), flat(again))


def test_without_a_gradient_a_parameter_stays_and_has_no_state():
    with_one, without = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    optimizer = Quickprop([with_one, without])
    optimizer.step()
    assert not optimizer.state
    with_one.grad = torch.ones(1)
    optimizer.step()
    assert set(optimizer.state) == {with_one}
    assert (with_one.item(), without.item()) == (pytest.approx(0.99), 1.0)
    assert with_one.grad.item() == 1.0


def test_sparse_gradients_are_refused():
    embedding = nn.Embedding(4, 2, sparse=True)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="Quickprop does not support sparse gradients"):
        Quickprop(embedding.parameters()).step()


@pytest.mark.parametrize("foreach", [False, True])
def test_a_complex_parameter_is_two_real_ones(foreach):
    number = torch.tensor([1 + 2j, -1 - 1j], requires_grad=True)
    pair = torch.view_as_real(number.detach()).clone().requires_grad_()
    optimizers = [Quickprop([p], 0.1, weight_decay=0.1, foreach=foreach) for p in (number, pair)]
    for step in range(5):
        number.grad = torch.tensor([1 - 1j, 0.2 + 3j]) / (step + 1) - 0.5
        pair.grad = torch.view_as_real(number.grad).clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(torch.view_as_real(number), pair)
    assert optimizers[0].state[number]["delta"].dtype == number.dtype


@pytest.mark.parametrize("foreach", [False, True])
def test_a_closure_is_called_once_with_gradients_on(foreach):
    param, seen = torch.ones(1, requires_grad=True), []
    optimizer = Quickprop([param], 0.1, foreach=foreach)

    def closure():
        seen.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = (param**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert seen == [True]
    assert param.item() == pytest.approx(0.8)
    assert optimizer.step() is None


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_learning_rate_may_be_a_tensor(foreach, shape):
    net, other = network(), network()
    rate = torch.full(shape, 0.0078125, dtype=torch.float64)
    train(net, Quickprop(net.parameters(), rate, foreach=foreach))
    train(other, Quickprop(other.parameters(), 0.0078125, foreach=foreach))
    assert torch.equal(flat(net), flat(other))
    assert rate.shape == shape


def test_schedulers_set_the_rate():
    net = network()
    optimizer = Quickprop(net.parameters(), 0.5)
    train(net, optimizer, 2, lr_scheduler.StepLR(optimizer, 1, gamma=0.5))
    assert optimizer.param_groups[0]["lr"] == 0.125
    fresh = Quickprop([torch.zeros(1)], 0.5)
    lr_scheduler.OneCycleLR(fresh, 1.0, total_steps=4, cycle_momentum=False)
    assert fresh.param_groups[0]["initial_lr"] == pytest.approx(0.04)


def test_hooks_run():
    param, seen = torch.ones(1, requires_grad=True), []
    optimizer = Quickprop([param])
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    handle = register_optimizer_step_post_hook(lambda *_: seen.append("all"))
    optimizer.step()
    handle.remove()
    assert seen == ["before", "after", "all"]


def test_autograd_goes_through_steps():
    def stepped(start, slopes, lr, **options):
        param = start.clone()
        optimizer = Quickprop([param], lr, **options)
        for slope in slopes:
            param.grad = slope
            optimizer.step()
        return param

    start = torch.tensor([1.2, 0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    slopes = torch.tensor([[3.0, 1.0, -1.0, 1.0], [1.0, 2.0, 2.0, 0.9], [-2.0, 0.5, 1.0, -1.0]], dtype=torch.float64)
    lr = torch.tensor(0.02, dtype=torch.float64, requires_grad=True)
    through = {"differentiable": True, "weight_decay": 0.1}
    assert torch.autograd.gradcheck(lambda *values: stepped(*values, **through), (start, slopes.requires_grad_(), lr))
    plain = stepped(start.detach(), slopes.detach(), 0.02, weight_decay=0.1, foreach=False)
    assert torch.equal(stepped(start, slopes, lr, **through), plain)


def test_autograd_stays_finite_where_there_is_no_slope():
    slopes = torch.zeros(3, 1, requires_grad=True)
    param = torch.ones(1)
    optimizer = Quickprop([param], differentiable=True)
    for slope in slopes:
        param.grad = slope
        optimizer.step()
    param.sum().backward()
    assert slopes.grad.isfinite().all()


@pytest.mark.parametrize("foreach", [False, True])
def test_a_step_can_be_compiled(foreach):
    net, other = network(), network()
    compiled = Quickprop(net.parameters(), 0.01, foreach=foreach)
    plain = Quickprop(other.parameters(), 0.01, foreach=foreach)
    train(other, plain)
    step = torch.compile(compiled.step, backend="eager")
    inputs = torch.linspace(-1, 1, 30, dtype=torch.float64).reshape(10, 3)
    for _ in range(6):
        compiled.zero_grad()
        (net(inputs) - inputs[:, :2].sin()).square().sum().backward()
        step()
    torch.testing.assert_close(flat(net), flat(other), rtol=1e-12, atol=1e-12)
