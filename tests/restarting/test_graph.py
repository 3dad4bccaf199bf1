"""Networks as graphs: the same outputs and gradients as each alone, and nothing taken for a graph that is more."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unstuck.restarting.graph import graph_of, run_graph


class Made(nn.Module):
    """Three layers and whatever is done with them."""

    def __init__(self, forward: Callable[[Made, Tensor], Tensor], last: int = 2) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(last, 2)
        self.act = nn.ReLU()
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


def _residual(net: Made, x: Tensor) -> Tensor:
    hidden = net.first(x).tanh()
    return net.last(hidden + 0.5 * net.second(hidden))


KNOWN: dict[str, Callable[[], nn.Module]] = {
    "chain": lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3, bias=False), nn.SiLU(), nn.Linear(3, 1)),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.GELU()), nn.Identity(), nn.Linear(3, 2)),
    "shortcut": lambda: Made(lambda n, x: n.last(torch.cat([x, n.second(F.relu(n.first(x)))], -1)), 5),
    "shortcut, axis 1": lambda: Made(lambda n, x: n.last(torch.cat((n.second(n.act(n.first(x))), x), dim=1)), 5),
    "residual": lambda: Made(_residual, 3),
    "functions of the inputs": lambda: Made(lambda n, x: n.last(n.second(n.first(torch.sin(x) * 2 - x))), 3),
}


def _loop(net: Made, x: Tensor) -> Tensor:
    hidden = net.first(x)
    return net.last(net.second(hidden) if hidden.sum() > 0 else hidden)


UNKNOWN: dict[str, Callable[[], nn.Module]] = {
    "no linear layer": lambda: nn.Sequential(nn.Tanh()),
    "batch norm": lambda: nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)),
    "dropout": lambda: nn.Sequential(nn.Linear(2, 4), nn.Dropout(), nn.Linear(4, 1)),
    "softmax over features": lambda: nn.Sequential(nn.Linear(2, 4), nn.Softmax(1)),
    "an axis for examples": lambda: Made(lambda n, x: n.last(torch.cat([n.second(n.first(x)), n.first(x)], 0)), 3),
    "in place": lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True), nn.Linear(3, 1)),
    "used twice": lambda: Made(lambda n, x: n.last(n.second(n.second(n.first(x)))), 3),
    "a weight of its own": lambda: Made(lambda n, x: n.last(n.second(n.first(x) @ n.second.weight)), 3),
    "depends on values": lambda: Made(_loop, 3),
    "a layer left out": lambda: Made(lambda n, x: n.second(n.first(x)), 3),
    "two outputs": lambda: Made(lambda n, x: (n.last(n.second(n.first(x))), x), 3),  # type: ignore[arg-type, return-value]
    "frozen": lambda: nn.Sequential(nn.Linear(2, 4).requires_grad_(False), nn.ReLU(), nn.Linear(4, 1)),
}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", KNOWN)
def test_outputs_and_gradients_are_those_of_each_network_alone(name: str, shared: bool) -> None:
    torch.manual_seed(0)
    networks = [KNOWN[name]().double() for _ in range(3)]
    inputs = torch.randn(5, 2).double() if shared else torch.randn(3, 5, 2).double()
    graph = graph_of(networks[0], inputs if shared else inputs[0])
    assert graph is not None
    names = dict(networks[0].named_parameters())
    stacked = {
        n: nn.Parameter(torch.stack([dict(one.named_parameters())[n].detach() for one in networks])) for n in names
    }
    for parameter in stacked.values():
        parameter.grad = torch.full_like(parameter, float("nan"))
    outputs = run_graph(graph, stacked, inputs, shared)
    outputs.square().sum().backward()
    for place, one in enumerate(networks):
        alone = one(inputs if shared else inputs[place])
        torch.testing.assert_close(outputs[place], alone)
        alone.square().sum().backward()
        for n, parameter in one.named_parameters():
            grad = stacked[n].grad
            assert grad is not None
            torch.testing.assert_close(grad[place], parameter.grad)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_more_than_that_is_left_to_vmap(name: str) -> None:
    assert graph_of(UNKNOWN[name](), torch.zeros(5, 2)) is None


def test_inputs_of_more_axes_have_to_be_flattened_first() -> None:
    images = torch.zeros(5, 1, 2, 2)
    plain = [nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)]
    assert graph_of(nn.Sequential(nn.Flatten(), *copy.deepcopy(plain)), images) is not None
    assert graph_of(nn.Sequential(*plain), images) is None


def test_a_network_with_hooks_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(2, 1))
    network[0].register_forward_hook(lambda *_: None)
    assert graph_of(network, torch.zeros(5, 2)) is None
