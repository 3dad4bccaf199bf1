"""Learning rates divided by the inputs of the units."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.optim import Quickprop, fan_in_groups


def rates(model: nn.Module) -> dict[str, float]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(p)]: group["lr"] for group in fan_in_groups(model, 1.0) for p in group["params"]}


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Linear(10, 5), 11),
        (nn.Linear(10, 5, bias=False), 10),
        (nn.Bilinear(2, 3, 4), 7),
        (nn.Conv2d(4, 6, 3), 37),
        (nn.Conv2d(4, 6, 3, groups=2), 19),
        (nn.ConvTranspose1d(4, 6, 3, groups=2), 7),
        (nn.BatchNorm1d(7), 1),
        (nn.Embedding(9, 3), 1),
    ],
)
def test_the_rate_is_divided_by_the_inputs_of_a_unit(layer, inputs):
    assert rates(layer) == {name: 1.0 / inputs for name, _ in layer.named_parameters()}


def test_layers_of_one_fan_in_share_a_group_and_shared_weights_come_once():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 9))
    model[3].weight = model[2].weight
    (group,) = fan_in_groups(model, 2.0)
    assert group["lr"] == 0.4
    assert len(group["params"]) == len(list(model.parameters())) == 7
    optimizer = Quickprop(fan_in_groups(nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1)), 1.0))
    assert [group["lr"] for group in optimizer.param_groups] == [1 / 3, 1.0, 1 / 4]
    assert torch.optim.SGD(fan_in_groups(nn.Linear(1, 1), 1.0)).param_groups[0]["lr"] == 0.5
