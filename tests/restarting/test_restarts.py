"""Many networks at once end where each would end alone, in every form that can be trained."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import unstuck
from unstuck.restarting import restarts as module
from unstuck.restarting.pilot import Way

XOR = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]).double(), torch.tensor([[0.0], [1], [1], [0]]).double()


class Shortcuts(nn.Module):
    """A network whose layers also see the inputs, with a frozen weight and one used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.same, self.last = nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(6, 1)
        self.first.bias.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.same(self.same(self.first(x).tanh()).tanh()).tanh()
        return self.last(torch.cat([x, hidden], -1))


class Plain(nn.Module):
    """The same without what makes it special."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 4), nn.Linear(6, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.cat([x, torch.tanh(self.first(x))], -1)
        return self.last(self.second(hidden).sigmoid())


def twice() -> nn.Module:
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(2, 1))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "chain": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 3, bias=False), nn.Tanh(), nn.Linear(3, 1)
    ),
    "shortcuts": Plain,
    "frozen shortcuts": Shortcuts,
    "twice": twice,
    "batch norm": lambda: nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)),
    "layer norm": lambda: nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4), nn.ReLU(), nn.Linear(4, 1)),
    "in place": lambda: nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True), nn.Linear(4, 1)),
    "frozen": lambda: nn.Sequential(nn.Linear(2, 4).requires_grad_(False), nn.ReLU(), nn.Linear(4, 1)),
}
OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "AdamW groups": lambda p: torch.optim.AdamW(
        [{"params": [q for q in p if q.dim() > 1]}, {"params": [q for q in p if q.dim() < 2], "weight_decay": 0.0}]
    ),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "Rprop": lambda p: torch.optim.Rprop(p),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
}


def alone(build, inputs, targets, loss, optimizer, steps, batch_size, seed):  # type: ignore[no-untyped-def]
    """Train one network as the documentation says that it is trained: written anew, with nothing of the package."""
    torch.manual_seed(seed)
    network = build()
    made, order, left = optimizer(list(network.parameters())), torch.Generator().manual_seed(seed), []
    for _ in range(steps):
        if batch_size and not left:
            left = list(torch.randperm(len(inputs), generator=order).split(batch_size))
        chosen = left.pop(0) if batch_size else slice(None)
        made.zero_grad()
        value = loss(network(inputs[chosen]), targets[chosen])
        value.backward()
        made.step()
    return network.eval()


def forced(monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    monkeypatch.setattr(module, "choose", lambda task: Way(group, 2.0, ""))


@pytest.mark.parametrize("group", [4, 2, 1])
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("network", NETWORKS)
def test_each_ends_where_it_ends_alone(
    network: str, batch_size: int | None, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build() -> nn.Module:
        return NETWORKS[network]().double()

    inputs, targets = torch.cat([XOR[0]] * 2), torch.cat([XOR[1]] * 2)
    make = OPTIMIZERS["SGD"]
    forced(monkeypatch, group)
    result = unstuck.restarts(
        build, inputs, targets, F.mse_loss, make, steps=25, batch_size=batch_size, count=4, seed=5
    )
    for i in range(4):
        one = alone(build, inputs, targets, F.mse_loss, make, 25, batch_size, 5 + i)
        for name, value in result.parameters.items():
            torch.testing.assert_close(value[i], one.state_dict()[name], rtol=1e-9, atol=1e-10)
        with torch.no_grad():
            torch.testing.assert_close(result.final[i], F.mse_loss(one(inputs), targets), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_optimizer_steps_as_it_does_alone(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> nn.Module:
        return NETWORKS["chain"]().double()

    make = OPTIMIZERS[optimizer]
    forced(monkeypatch, 3)
    result = unstuck.restarts(build, *XOR, F.mse_loss, make, steps=20, count=3)
    for i in range(3):
        one = alone(build, *XOR, F.mse_loss, make, 20, None, i)
        for name, value in result.parameters.items():
            torch.testing.assert_close(value[i], one.state_dict()[name], rtol=1e-7, atol=1e-8)


def test_images_classes_and_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4))

    def make(p: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(p, lr=0.1)

    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(50, 1, 6, 6, generator=generator), torch.randint(0, 4, (50,), generator=generator)
    forced(monkeypatch, 5)
    result = unstuck.restarts(build, images, labels, nn.CrossEntropyLoss(), make, steps=40, batch_size=8, count=5)
    for i in range(5):
        one = alone(build, images, labels, F.cross_entropy, make, 40, 8, i)
        with torch.no_grad():
            torch.testing.assert_close(
                result.final[i].float(), F.cross_entropy(one(images), labels), rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda p: torch.optim.LBFGS(p), "LBFGS cannot train many networks at once: it cannot step"),
        (lambda p: Normed(p), "Normed cannot train many networks at once: its step of '0.weight' mixes"),
        (lambda p: torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0), "for the parameters that it is given"),
    ],
)
def test_optimizers_that_mix_weights_are_refused(make: Callable[..., torch.optim.Optimizer], why: str) -> None:
    with pytest.raises(unstuck.UsageError, match=why):
        unstuck.restarts(NETWORKS["chain"], *XOR, F.mse_loss, make, steps=5, count=2)


class Normed(torch.optim.Optimizer):
    """Steps by the gradient over its norm, as LARS and others do for each layer."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Step."""
        for parameter in self.param_groups[0]["params"]:
            parameter -= parameter.grad / parameter.grad.norm()


def test_what_cannot_be_stacked_is_trained_one_by_one_and_says_why() -> None:
    class Asks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.layer(x)
            return y if y.sum() > 0 else -y

    result = unstuck.restarts(
        Asks, XOR[0].float(), XOR[1].float(), F.mse_loss, lambda p: torch.optim.SGD(p, lr=0.1), steps=20, count=3
    )
    assert result.way.group == 1
    assert "one by one: they cannot be stacked (RuntimeError" in result.report


def test_dropout_draws_for_each_network_and_the_global_state_is_left() -> None:
    def build() -> nn.Module:
        layer = nn.Linear(2, 64)
        nn.init.ones_(layer.weight)
        nn.init.zeros_(layer.bias)
        return nn.Sequential(layer, nn.Dropout(0.5), Sum())

    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(-1, keepdim=True)

    torch.manual_seed(3)
    before = torch.get_rng_state()
    x, y = XOR[0].float(), XOR[1].float()
    runs = [
        unstuck.restarts(build, x, y, F.mse_loss, lambda p: torch.optim.SGD(p, lr=1e-6), steps=2, count=4)
        for _ in range(2)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    assert len(set(runs[0].losses[:, 0].tolist())) == 4
    torch.testing.assert_close(runs[0].losses, runs[1].losses)


def test_the_result_orders_counts_and_names_the_best() -> None:
    def make(p: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(p, lr=0.05)

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()

    result = unstuck.restarts(build, *XOR, F.mse_loss, make, steps=400, count=24, seed=7)
    final = sorted(result.final.tolist())
    assert result.spread[0.0] == final[0]
    assert result.spread[1.0] == final[-1]
    assert result.share(0.01) == sum(v <= 0.01 for v in final) / 24
    assert 0 < result.share(0.01) < 1, "of two hidden units, some get stuck on XOR and some do not"
    assert result.ratio == pytest.approx(result.spread[0.5] / final[0])
    with torch.no_grad():
        assert float(F.mse_loss(result.best(XOR[0]), XOR[1])) == pytest.approx(final[0], abs=1e-12)
    assert result.losses.shape == (24, 200)
    assert result.steps[-1] == 400
    assert f"seed {7 + result.index}" in str(result)
    first = [alone(build, *XOR, F.mse_loss, make, n, None, 7) for n in (0, 1)]
    two = torch.stack([F.mse_loss(one(XOR[0]), XOR[1]) for one in first]).mean().detach()
    torch.testing.assert_close(result.losses[0, 0], two)


def test_those_that_diverge_are_counted_and_never_the_best() -> None:
    def build() -> nn.Module:
        network = nn.Linear(2, 1)
        if torch.rand(()) < 0.5:
            nn.init.constant_(network.weight, torch.nan)
        return network

    x, y = XOR[0].float(), XOR[1].float()
    result = unstuck.restarts(build, x, y, F.mse_loss, lambda p: torch.optim.SGD(p, lr=0.1), steps=10, count=12)
    broken = int(result.final.isnan().sum())
    assert 0 < broken < 12
    assert result.final[result.index].isfinite()
    assert result.share(1e9) == (12 - broken) / 12
    assert result.spread[1.0] == float("inf")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "steps must be at least 1; got 0"),
        ({"count": 0}, "count must be at least 1; got 0"),
        ({"batch_size": 5}, "batch_size must be from 1 to the 4 examples, or None for all; got 5"),
        ({"targets": torch.zeros(3, 1)}, "inputs and targets must be as many; got 4 and 3"),
        ({"build": nn.Tanh}, "build.. must return a torch.nn.Module with parameters to train; got Tanh"),
    ],
)
def test_what_cannot_be_asked_for(changed: dict[str, object], message: str) -> None:
    arguments = {
        "build": NETWORKS["chain"],
        "inputs": XOR[0],
        "targets": XOR[1],
        "loss": F.mse_loss,
        "optimizer": OPTIMIZERS["Adam"],
        "steps": 3,
        "count": 2,
    }
    with pytest.raises(unstuck.UsageError, match=message):
        unstuck.restarts(**{**arguments, **changed})  # type: ignore[arg-type]


def test_the_networks_that_were_built_are_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []

    def build() -> nn.Module:
        made.append(NETWORKS["batch norm"]().double())
        return made[-1]

    result = unstuck.restarts(build, *XOR, F.mse_loss, OPTIMIZERS["Adam"], steps=30, count=3)
    torch.manual_seed(0)
    fresh = NETWORKS["batch norm"]().double()
    assert all(
        torch.equal(a, b) for a, b in zip(fresh.state_dict().values(), made[0].state_dict().values(), strict=True)
    )
    before = copy.deepcopy(result.parameters)
    result.best(XOR[0])
    assert all(torch.equal(before[name], value) for name, value in result.parameters.items())
