"""Targets viewed in the shape of the outputs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.difficulties.planted import head
from tests.difficulties.records import Record
from tests.remedies.training import IMPORTS, run_of, staged
from unstuck.remedies.shapes import SameShape

RANDOM = torch.Generator().manual_seed(0)
OUTPUTS, TARGETS = torch.randn(8, 1, generator=RANDOM), torch.rand(8, generator=RANDOM)


def gradient(loss, outputs=OUTPUTS, targets=TARGETS):
    outputs = outputs.clone().requires_grad_()
    loss(outputs, targets).backward()
    return outputs.grad


LOSSES = {
    "function": lambda o, t: F.mse_loss(o, t),
    "module": lambda o, t: nn.SmoothL1Loss()(o, t),
    "huber": lambda o, t: F.huber_loss(o, t),
    "keyword": lambda o, t: F.l1_loss(target=t, input=o),
    "minus": lambda o, t: ((o - t) ** 2).mean(),
    "minus turned": lambda o, t: ((t - o) ** 2).mean(),
    "sub": lambda o, t: o.sub(t).abs().mean(),
    "torch.sub": lambda o, t: torch.sub(o, t).abs().mean(),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_it_equals_the_loss_of_two_columns(loss):
    with staged(SameShape()) as stage:
        treated = gradient(loss)
    assert torch.equal(treated, gradient(loss, targets=TARGETS[:, None]))
    assert not torch.allclose(treated, gradient(loss))
    assert stage.applied == {"shapes"}


@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "binary_cross_entropy"])
def test_losses_that_refuse_other_shapes_are_helped_as_well(name):
    def loss(outputs, targets):
        return getattr(F, name)(outputs.sigmoid(), targets)

    with staged(SameShape()):
        treated = gradient(loss)
    assert torch.equal(treated, gradient(loss, targets=TARGETS[:, None]))


def test_a_row_against_a_column_of_outputs_is_viewed_too():
    with staged(SameShape()):
        treated = gradient(LOSSES["minus"], OUTPUTS[:, 0], TARGETS[:, None])
    assert torch.equal(treated, gradient(LOSSES["minus"], OUTPUTS[:, 0]))


def test_what_fits_and_what_is_meant_to_be_paired_stays():
    pairs = gradient(lambda o, t: ((o - t) ** 2).mean(), OUTPUTS, TARGETS[None])
    with staged(SameShape()) as stage:
        assert torch.equal(
            gradient(F.mse_loss, targets=TARGETS[:, None]), gradient(F.mse_loss, targets=TARGETS[:, None])
        )
        assert torch.equal(gradient(LOSSES["minus"], OUTPUTS, TARGETS[None]), pairs)
        assert (TARGETS[:, None] - TARGETS).shape == (8, 8)  # nothing is trained here
        assert (OUTPUTS.clone().requires_grad_() - torch.ones(5)).shape == (8, 5)
        assert (OUTPUTS - 1).shape == (8, 1)
    assert stage.applied == set()


def test_torch_is_as_it_was_afterwards():
    with staged(SameShape()):
        assert "__sub__" in vars(torch.Tensor)
    assert "__sub__" not in vars(torch.Tensor)


def broadcast_at(line):
    record = Record().but(measured=head("mse_loss", [64, 1], [64], broadcast=[64, 64]))
    record.changes["task"]["heads"][0]["line"] = line
    return record.changes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("loss = F.mse_loss(pred, y)", "loss = F.mse_loss(pred, y.view_as(pred))"),
        ("loss = F.mse_loss(net(x), y)", "loss = F.mse_loss(net(x).view_as(y), y)"),
        ("loss = F.mse_loss(net(x), y + 1)", None),
        ("loss = criterion(pred, y)", None),
    ],
)
def test_the_edit_views_the_target(tmp_path, before, after):
    edit = SameShape().edit(run_of(f"{before}\n{IMPORTS}", tmp_path, changes=broadcast_at(1)))
    assert edit.sentence == "write target.view_as(pred) for the target in the comparison at train.py:1"
    if after is None:
        assert edit.diff == ""
    else:
        assert f"-{before}\n+{after}\n" in edit.diff


def test_without_a_place_the_edit_says_what():
    assert SameShape().edit(run_of()).sentence == ("write target.view_as(pred) where outputs and targets are compared")
