"""A regression trained as if on standardised targets."""

from __future__ import annotations

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from tests.difficulties.planted import head
from tests.difficulties.records import Record
from tests.remedies.training import batch, run_of, staged
from unstuck.remedies.target_scaling import ScaleTargets


def targets(step):
    inputs = batch(step)[0]
    return 4000 + 300 * inputs[:, :1] * inputs[:, 1:2]


MEAN, STD = float(targets(0).mean()), float(targets(0).std(correction=0))


def train(loss, scaled=False, squeeze=False):
    """Train a regression, on standardised targets by hand or not; return weights, losses, predictions."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    losses = []
    for step in range(6):
        inputs, wanted = batch(step)[0], targets(step)
        if scaled:
            wanted = (wanted - MEAN) / STD
        outputs = net(inputs)
        value = loss(outputs.squeeze(1), wanted.squeeze(1)) if squeeze else loss(outputs, wanted)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    with torch.no_grad():
        return list(net.parameters()), losses, net(batch(99)[0])


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize(
    ("loss", "power"), [(nn.MSELoss(), 2), (nn.L1Loss(), 1), (nn.HuberLoss(), None), (nn.MSELoss(reduction="sum"), 2)]
)
def test_it_learns_as_on_standardised_targets_and_keeps_the_program_s_units(loss, power, squeeze):
    with staged(ScaleTargets()) as stage:
        weights, losses, predictions = train(loss, squeeze=squeeze)
    expected, small, outputs = train(loss, scaled=True, squeeze=squeeze)
    assert stage.applied == {"target-scaling"}
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(weights, expected, strict=True))
    assert torch.allclose(predictions, outputs * STD + MEAN, rtol=1e-3)
    if power is not None:
        assert losses == pytest.approx([value * STD**power for value in small], rel=1e-3)


def test_the_loss_is_that_of_the_program_where_it_starts():
    torch.manual_seed(0)
    net = nn.Linear(4, 1)
    with staged(ScaleTargets()):
        outputs = net(batch(0)[0])
        loss = F.mse_loss(outputs, targets(0))
        again = F.mse_loss(net(batch(0)[0]), targets(0))
    assert loss.item() == pytest.approx(((outputs * STD + MEAN - targets(0)) ** 2).mean().item(), rel=1e-4)
    assert again.item() == pytest.approx(loss.item(), rel=1e-4)


def test_an_evaluation_is_in_the_program_s_units():
    with staged(ScaleTargets()):
        net = nn.Linear(4, 1)
        F.mse_loss(net(batch(0)[0]), targets(0)).backward()
        with torch.no_grad():
            outputs = net(batch(1)[0])
            loss = F.mse_loss(outputs, targets(1))
    assert abs(float(outputs.mean()) - MEAN) < 3 * STD
    assert loss.item() == ((outputs - targets(1)) ** 2).mean().item()


def test_losses_of_anything_else_stay():
    def gradient():
        torch.manual_seed(0)
        net = nn.Linear(4, 1)
        F.mse_loss(net(batch(0)[0]) * 2, targets(0)).backward()
        return net.weight.grad

    with staged(ScaleTargets()) as stage:
        treated = gradient()
    assert torch.equal(treated, gradient())
    assert stage.applied == set()
    assert stage.why_not == {"target-scaling": "no network's outputs go into a distance of torch as they are"}


def test_outputs_that_are_sparse_are_no_regression():
    class Sparse(nn.Linear):
        def forward(self, x):
            return super().forward(x).to_sparse()

    with staged(ScaleTargets()) as stage:
        F.mse_loss(Sparse(4, 1)(batch(0)[0]).to_dense(), targets(0)).backward()
    assert stage.applied == set()


def test_targets_without_a_deviation_give_no_scale():
    with staged(ScaleTargets()) as stage:
        F.mse_loss(nn.Linear(4, 1)(batch(0)[0]), torch.full((10, 1), 3.0)).backward()
    assert stage.applied == set()


def test_a_network_can_still_be_saved_and_copied():
    with staged(ScaleTargets()):
        net = nn.Linear(4, 1)
        F.mse_loss(net(batch(0)[0]), targets(0)).backward()
        file = io.BytesIO()
        torch.save(net, file)
        file.seek(0)
        restored = torch.load(file, weights_only=False)
        assert torch.equal(restored(batch(1)[0]), net(batch(1)[0]))
        assert torch.equal(copy.deepcopy(net)(batch(1)[0]), net(batch(1)[0]))


def test_the_edit_names_the_loss_and_the_numbers():
    of = {"mean": 4000.0, "std": 300.0}
    edit = ScaleTargets().edit(run_of(changes=Record().but(measured=head("mse_loss", [64, 1], [64, 1], of=of)).changes))
    assert edit.sentence == (
        "give the loss at train.py:27 standardised targets, (y - mean) / std with the mean and std of the training "
        "targets (about 4e+03 and 300), and where predictions are used write out * std + mean"
    )
    assert (edit.file, edit.line) == ("train.py", 27)
    assert ScaleTargets().edit(run_of()).sentence.startswith("give the loss standardised targets")
    assert not ScaleTargets.changes_loss


def test_functions_of_torch_that_call_themselves_again_under_a_mode_are_treated_once():
    class Mode(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    with staged(ScaleTargets()):
        plain = train(nn.MSELoss())
    with staged(ScaleTargets()), Mode():
        watched = train(nn.MSELoss())
    assert plain[1] == watched[1]
