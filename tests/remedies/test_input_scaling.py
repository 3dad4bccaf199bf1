"""Inputs standardised with the statistics of the first batch."""

from __future__ import annotations

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.remedies.training import batch, run_of, same, staged
from unstuck.remedies.input_scaling import ScaleInputs

RANDOM = torch.Generator().manual_seed(0)


def features(step):
    """Return inputs on four scales, the last of them constant."""
    return batch(step)[0] * torch.tensor([1e-3, 1.0, 300.0, 0.0]) + torch.tensor([0.0, 5.0, -100.0, 7.0])


def train(prepare=lambda x: x):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for step in range(6):
        optimizer.zero_grad()
        F.cross_entropy(net(prepare(features(step))), batch(step)[1]).backward()
        optimizer.step()
    with torch.no_grad():
        return [*net.parameters(), net(prepare(features(99)))]


def test_it_equals_inputs_that_are_standardised_by_hand_in_evaluation_too():
    first = features(0)
    mean, std = first.mean(0), first.std(0, correction=0)
    mean[3], std[3] = 0.0, 1.0

    with staged(ScaleInputs()) as stage:
        treated = train()
    expected = train(lambda x: (x - mean) / std)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(treated, expected, strict=True))
    assert not same(treated, train())
    assert stage.applied == {"input-scaling"}


class Seen(nn.Module):
    """Keeps what its layer is given."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x, *rest, **named):
        self.given = x, *rest, *named.values()
        return self.layers[0](x)


@pytest.mark.parametrize(
    ("layer", "shape", "dim"),
    [
        (nn.Conv2d(3, 2, 1), (8, 3, 5, 5), 1),
        (nn.Conv1d(3, 2, 1), (8, 3, 5), 1),
        (nn.Linear(3, 2), (8, 5, 3), 2),
        (nn.Conv3d(3, 2, 1), (4, 3, 2, 2, 2), 1),
    ],
)
def test_channels_and_features_are_the_features(layer, shape, dim):
    net = Seen(layer)
    scale = torch.tensor([1.0, 100.0, 0.01]).view([3 if d == dim else 1 for d in range(len(shape))])
    with staged(ScaleInputs()):
        net(torch.randn(shape, generator=RANDOM) * scale + 3)
    others = [d for d in range(len(shape)) if d != dim]
    assert torch.allclose(net.given[0].mean(others), torch.zeros(3), atol=1e-3)
    assert torch.allclose(net.given[0].std(others, correction=0), torch.ones(3), atol=1e-3)


def test_masks_numbers_and_results_of_other_networks_stay():
    x = torch.randn(8, 3, generator=RANDOM) * 50
    mask, index = (x > 0).float(), torch.arange(24).view(8, 3)
    code = nn.Linear(3, 3)(x)
    net = Seen(nn.Linear(3, 2))
    with staged(ScaleInputs()):
        net(x, mask, index, code=code, again=x)
    assert float(net.given[0].std()) < 2
    assert net.given[1] is mask
    assert net.given[2] is index
    assert net.given[3] is code
    assert torch.equal(net.given[4], net.given[0])


def test_binary_inputs_that_come_alone_are_scaled():
    net = Seen(nn.Linear(2, 1))
    with staged(ScaleInputs()):
        net(torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]))
    assert torch.equal(net.given[0], torch.tensor([[-1.0, -1], [-1, 1], [1, -1], [1, 1]]))


def test_inputs_of_another_shape_stay():
    net = Seen(nn.Linear(4, 1))
    with staged(ScaleInputs()):
        net(features(0))
        alone = features(1)[0]
        net(alone)
    assert net.given[0] is alone


def test_sparse_inputs_stay():
    net = Seen(nn.Linear(4, 1))
    rows = features(0).to_sparse()
    net.forward = lambda x: net.layers[0](x.to_dense())
    with staged(ScaleInputs()) as stage:
        net(rows)
    assert stage.applied == set()


def test_there_must_be_something_to_scale():
    with staged(ScaleInputs()) as stage:
        nn.Embedding(3, 2)(torch.tensor([[0, 1]]))
        nn.Linear(4, 1)(torch.ones(5, 4))
    assert stage.applied == set()
    assert stage.why_not == {"input-scaling": "no floating inputs that vary over a batch go into the network"}


def test_a_network_can_still_be_saved_and_copied():
    with staged(ScaleInputs()):
        net = nn.Linear(4, 1)
        net(features(0))
        file = io.BytesIO()
        torch.save(net, file)
        file.seek(0)
        restored = torch.load(file, weights_only=False)
        assert torch.equal(restored(features(1)), net(features(1)))
        assert torch.equal(copy.deepcopy(net)(features(1)), net(features(1)))


def test_the_edit_names_the_first_layer():
    edit = ScaleInputs().edit(run_of())
    assert edit.sentence == (
        "standardise the inputs before fc1 (train.py:10): (x - mean) / std, with the mean and std of each feature in "
        "the training data"
    )
    assert (edit.file, edit.line) == ("train.py", 10)
    assert ScaleInputs().label == "standardised inputs"
