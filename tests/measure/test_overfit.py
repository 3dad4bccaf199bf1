"""Learning one batch by heart: Adam written out against torch's, floors against formulas, and what can be fitted."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.measure.networks import batch, dense
from tests.measure.reference import ModuleStep
from unstuck.measure import overfit
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.floor import floor_of
from unstuck.measure.step import LossCall


class Known(ModuleStep):
    """A step whose loss function is known, as the tape knows it."""

    kind = "cross_entropy"
    options: ClassVar[dict[str, object]] = {}

    @property
    def losses(self):
        prediction = self.model(self.inputs).detach()
        return [LossCall(self.kind, prediction, self.targets, dict(self.options), 1.0, None, None)]


def known(model, targets, inputs, kind="cross_entropy", **options) -> Known:
    kinds = {"kind": kind, "options": options}
    made = type("Step", (Known,), kinds)
    return made(model, lambda y, t: getattr(F, kind)(y, t, **options), inputs, targets)


def test_adam_is_that_of_torch():
    inputs, labels = batch(16, 6)
    step = known(dense(nn.Tanh).double(), labels, inputs.double())
    arm = overfit._Arm(Evaluation(step), 0.01)
    model = dense(nn.Tanh).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        arm.step()
        optimizer.zero_grad()
        F.cross_entropy(model(inputs.double()), labels).backward()
        optimizer.step()
    for mine, theirs in zip(arm._weights, model.parameters(), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_a_network_learns_a_batch_by_heart_and_its_weights_stay():
    inputs, labels = batch(24, 6)
    step = known(dense(nn.Tanh), labels, inputs)
    before = [p.clone() for p in step.params]
    found = overfit.measure(Evaluation(step))
    assert found["fitted"]
    assert found["end"] <= 0.1 * found["constant"]
    assert found["lowest"] == pytest.approx(0, abs=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(before, step.params, strict=True))


def test_raw_targets_in_thousands_are_fitted_too():
    inputs, _ = batch(20, 6)
    targets = 3000 + 800 * inputs[:, :1]
    found = overfit.measure(Evaluation(known(dense(nn.Tanh, (6, 16, 1)), targets, inputs, "mse_loss")))
    assert found["gained"] > 0.5


@pytest.mark.parametrize(
    ("last", "kind"),
    [(nn.ReLU(), "mse_loss"), (nn.Softmax(1), "mse_loss")],
    ids=["rectifier before negative targets", "softmax over one unit"],
)
def test_what_the_outputs_cannot_reach_is_not_fitted(last, kind, monkeypatch):
    monkeypatch.setattr(overfit, "_STEPS", 400)
    inputs, _ = batch(24, 6)
    targets = -1 - inputs[:, :1].abs()
    model = nn.Sequential(*dense(nn.Tanh, (6, 8, 1)), last)
    found = overfit.measure(Evaluation(known(model, targets, inputs, kind)))
    assert not found["fitted"]
    assert found["gained"] <= 0


def test_a_network_cut_off_from_its_inputs_is_not_fitted(monkeypatch):
    monkeypatch.setattr(overfit, "_STEPS", 400)
    inputs, labels = batch(24, 6)
    step = known(dense(nn.Tanh), labels, torch.zeros_like(inputs))
    found = overfit.measure(Evaluation(step))
    assert not found["fitted"]
    assert found["gained"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_the_floor_of_smoothed_labels_is_their_entropy(smoothing):
    inputs, labels = batch(12, 6)
    step = known(dense(nn.Tanh), labels, inputs, label_smoothing=smoothing)
    expected = torch.full((3,), smoothing / 3)
    expected[0] += 1 - smoothing
    entropy = -float(torch.special.xlogy(expected, expected).sum())
    assert floor_of(Evaluation(step), {"loss_kind": "cross_entropy"}) == pytest.approx(entropy, abs=1e-5)


@pytest.mark.parametrize("kind", ["binary_cross_entropy_with_logits", "binary_cross_entropy"])
def test_the_floor_of_soft_targets_is_their_entropy(kind):
    inputs, _ = batch(12, 6)
    targets = torch.sigmoid(inputs[:, :3])
    model = dense(nn.Tanh) if kind.endswith("logits") else nn.Sequential(*dense(nn.Tanh), nn.Sigmoid())
    expected = -(torch.special.xlogy(targets, targets) + torch.special.xlogy(1 - targets, 1 - targets)).mean()
    found = floor_of(Evaluation(known(model, targets, inputs, kind)), {"loss_kind": kind})
    assert found == pytest.approx(float(expected), abs=1e-5)


def test_a_loss_without_a_scale_is_not_measured():
    inputs, labels = batch(12, 6)
    step = ModuleStep(dense(nn.Tanh), F.cross_entropy, inputs, labels)  # no loss that is known, no output
    with pytest.raises(NotMeasurable):
        overfit.measure(Evaluation(step))
    step = known(dense(nn.Tanh), labels * 0, inputs)
    with pytest.raises(NotMeasurable, match="constant prediction"):
        overfit.measure(Evaluation(step))
    step.params[0].fill_(math.nan)
    with pytest.raises(NotMeasurable, match="not finite"):
        overfit.measure(Evaluation(step))
