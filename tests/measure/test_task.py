"""What outputs and targets are, whether they belong together, and what rounding takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.measure.networks import batch, dense, tanh_step
from tests.measure.reference import ModuleStep
from unstuck.measure import Evaluation, NotMeasurable, modes, precision, targets, task
from unstuck.measure.step import Head, Link, Modes


@dataclass
class HeadedStep(ModuleStep):
    """A step whose heads are given."""

    given: list[Head] = field(default_factory=list)
    set_to: Modes = field(default_factory=Modes)

    @property
    def heads(self) -> list[Head]:
        return self.given

    @property
    def modes(self) -> Modes:
        return self.set_to


def head(kind: str, prediction: Tensor, target: Tensor, *links: Link) -> Head:
    return Head(kind, prediction, target, {}, links, None, "train.py", 3)


def evaluation(given: list[Head], inputs: Tensor | None = None, **more: Any) -> Evaluation:
    x, labels = batch(8, 6)
    step = HeadedStep(dense(nn.Tanh), nn.functional.cross_entropy, x, labels, given=given, **more)
    if inputs is not None:
        step.inputs = inputs
    return Evaluation(step)


def link(name: str, dim: int | None = None) -> Link:
    return Link(name, dim, True, "train.py", 2)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (torch.tensor([0, 3, 1, 2]), "classes"),
        (torch.tensor([0.0, 3.0, 1.0, 2.0]), "classes"),
        (torch.tensor([0.0, 1.0, 1.0]), "binary"),
        (torch.eye(3), "one-hot"),
        (torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), "multi-label"),
        (torch.tensor([-1.0, 1.0, 1.0]), "two-valued"),
        (torch.tensor([-7, 1, 12]), "whole"),
        (torch.tensor([0.25, 1.0, 3.0]), "real"),
    ],
)
def test_kinds_of_targets(target, kind):
    (found,) = task.measure(evaluation([head("mse_loss", torch.zeros(target.shape), target)]))["heads"]
    assert found["target"]["kind"] == kind


def test_targets_beyond_the_outputs_range():
    target = torch.tensor([-3.0, -1.0, 0.5, 0.7, 2.0])
    (found,) = task.measure(evaluation([head("mse_loss", torch.rand(5), target, link("sigmoid"))]))["heads"]
    assert found["outside"] == pytest.approx(0.6)
    missing = (9 + 1 + 1) / 5
    assert found["unreachable"] == pytest.approx(missing / float(target.var(correction=0)))
    (free,) = task.measure(evaluation([head("mse_loss", torch.rand(5), target)]))["heads"]
    assert free["outside"] is None


def test_log_probabilities_are_told_from_scores():
    scores = torch.randn(6, 4)
    labels = torch.randint(4, (6,))
    (raw,) = task.measure(evaluation([head("nll_loss", scores, labels)]))["heads"]
    (right,) = task.measure(evaluation([head("nll_loss", scores.log_softmax(1), labels)]))["heads"]
    assert abs(raw["normalised"] - 1) > 0.1
    assert right["normalised"] == pytest.approx(1.0, abs=1e-5)


def test_a_softmax_over_one_unit_is_single():
    ones = head("binary_cross_entropy", torch.ones(6, 1), torch.rand(6, 1), link("softmax", 1))
    two = head("mse_loss", torch.rand(6, 2).softmax(1), torch.rand(6, 2), link("softmax", 1))
    assert [task.measure(evaluation([h]))["heads"][0]["single"] for h in (ones, two)] == [True, False]


def dependence(inputs: Tensor, target: Tensor) -> dict[str, Any]:
    return targets.measure(evaluation([head("other", torch.zeros(len(target)), target)], inputs))


def test_dependence_is_told_from_chance():
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(96, 5, generator=generator)
    labels = (inputs[:, 0] > 0).long()
    assert dependence(inputs, labels)["score"] > 6
    shuffled = labels[torch.randperm(96, generator=generator)]
    assert abs(dependence(inputs, shuffled)["score"]) < 4
    real = inputs @ torch.randn(5, generator=generator)
    assert dependence(inputs, real)["score"] > 6


def test_scores_of_independent_targets_are_about_standard_normal():
    generator = torch.Generator().manual_seed(2)
    scores = torch.tensor(
        [
            dependence(torch.randn(40, 3, generator=generator), torch.randint(4, (40,), generator=generator))["score"]
            for _ in range(60)
        ]
    )
    assert abs(float(scores.mean())) < 0.5
    assert 0.6 < float(scores.std()) < 1.7


def test_targets_that_were_moved_by_one():
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(96, 5, generator=generator)
    moved = (inputs[:, 0] > 0).long().roll(1)
    found = dependence(inputs, moved)
    assert found["moved"] > 6
    assert found["score"] < 4


def test_sequences_that_are_to_be_copied():
    tokens = torch.randint(20, (32, 7))
    assert dependence(tokens, tokens.flatten())["same"] == 1.0
    assert dependence(tokens, tokens.roll(-1, 1))["same"] < 0.3


def test_tags_are_compared_place_by_place():
    words = torch.randint(50, (24, 9))
    tags = words % 5
    assert dependence(words, tags.flatten())["score"] > 6
    moved = dependence(words, tags.roll(1, 0).flatten())
    assert moved["score"] < 3
    assert moved["moved"] > 6


def test_few_examples_say_nothing():
    with pytest.raises(NotMeasurable, match="fewer than"):
        dependence(torch.randn(5, 3), torch.randint(2, (5,)))


def test_steps_that_bfloat16_cannot_hold():
    step = tanh_step(torch.bfloat16)
    lost = precision.measure(Evaluation(step))
    assert lost["low"] is True
    step.updates = [torch.zeros_like(update) for update in step.updates]
    assert precision.measure(Evaluation(step))["lost_updates"] == pytest.approx(1.0, abs=0.35)
    sound = precision.measure(Evaluation(tanh_step()))
    assert (sound["low"], sound["dtypes"].keys()) == (False, {"float32"})
    assert sound["lost_updates"] < 0.05


def test_gradients_that_are_zero_are_counted():
    step = tanh_step()
    step.real_grads = [torch.where(torch.rand_like(g) < 0.5, 0.0, g) for g in step.real_grads]
    assert precision.measure(Evaluation(step))["zero_gradients"] == pytest.approx(0.5, abs=0.15)


def test_modes_need_a_layer_that_has_them():
    with pytest.raises(NotMeasurable, match="neither batch normalisation nor dropout"):
        modes.measure(evaluation([]))
    found = modes.measure(evaluation([], set_to=replace(Modes(), norms_evaluating=2, norms_fresh=2)))
    assert found["norms"] == {"training": 0, "evaluating": 2, "fresh": 2}
