"""The gradient clipped before the step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.difficulties.records import STEP
from tests.remedies.training import network, run_of, same, staged, train
from unstuck.remedies.clipping import Clipping


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.9)


def clip(optimizer, step):
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 0.1)


@pytest.mark.parametrize("closure", [False, True])
def test_it_equals_clipping_by_hand(closure):
    with staged(Clipping(0.1)) as stage:
        treated = train(sgd, closure=closure)
    assert same(treated, train(sgd, before_step=clip))
    assert not same(treated, train(sgd))
    assert stage.applied == {"clipping"}


def test_a_closure_may_be_given_by_name():
    with staged(Clipping(1e-9)):
        net = network()
        optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
        before = [p.detach().clone() for p in net.parameters()]

        def closure():
            loss = net(torch.ones(2, 4)).sum()
            loss.backward()
            return loss

        assert optimizer.step(closure=closure) is not None
    assert all(torch.allclose(a, b, atol=1e-8) for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize("fused", [False, True])
def test_under_a_grad_scaler_it_is_the_true_gradient_that_is_clipped(fused):
    with staged(Clipping(0.5)):
        weight = nn.Parameter(torch.zeros(1))
        optimizer, scaler = torch.optim.SGD([weight], lr=1.0, fused=fused), torch.amp.GradScaler("cpu", 128.0)
        scaler.scale((1000 * weight).sum()).backward()
        scaler.step(optimizer)
    assert weight.item() == pytest.approx(-0.5, rel=1e-4)


def test_without_gradients_it_has_not_been_applied():
    with staged(Clipping(0.5)) as stage:
        torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0).step()
    assert stage.applied == set()


def test_the_edit_is_at_the_step():
    edit = Clipping(0.5).edit(run_of())
    assert edit.sentence == (
        f"write torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5) before the step at train.py:{STEP}"
    )
    assert (edit.file, edit.line) == ("train.py", STEP)
    assert Clipping(0.5).label == "gradient clipped to norm 0.5"
