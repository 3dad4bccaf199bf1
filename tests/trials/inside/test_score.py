"""The error of the outputs, step by step, whatever a remedy makes of the loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.trials.inside import score
from unstuck.trials.inside.errors import Errors
from unstuck.trials.inside.losses import wrap_losses
from unstuck.trials.inside.stage import Stage
from unstuck.trials.score_file import read_score


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    stage.remove()


def of(name, output, target, **options):
    return Errors().of(name, torch.as_tensor(output), torch.as_tensor(target), options).item()


def test_classification_counts_wrong_classes():
    logits = [[2.0, 1.0], [0.0, 3.0], [1.0, 0.0], [5.0, 0.0]]
    assert of("cross_entropy", logits, [0, 1, 1, 1]) == 0.5
    assert of("nll_loss", logits, [0, 1, 1, -100]) == pytest.approx(1 / 3)
    assert of("cross_entropy", logits, [0, 1, 1, 7], ignore_index=7) == pytest.approx(1 / 3)
    assert of("cross_entropy", logits, [[0.9, 0.1], [0.8, 0.2], [1.0, 0.0], [1.0, 0.0]]) == 0.25
    assert of("cross_entropy", torch.eye(3).reshape(1, 3, 3), [[0, 1, 0]]) == pytest.approx(1 / 3)
    assert of("cross_entropy", [2.0, 1.0], 1) == 1.0


def test_a_single_class_is_yes_or_no():
    assert of("cross_entropy", [[2.0], [-1.0], [3.0]], [[1.0], [1.0], [0.0]]) == pytest.approx(2 / 3)


def test_yes_or_no_is_told_by_the_border_of_the_loss():
    assert of("binary_cross_entropy", [0.4, 0.6], [1.0, 1.0]) == 0.5
    assert of("binary_cross_entropy_with_logits", [[0.4], [-0.6]], [0.0, 0.0]) == 0.5
    assert of("mse_loss", [0.4, 0.6], [0.0, 0.0]) == 0.5
    assert of("mse_loss", [0.4, -0.6, 0.1], [1.0, 1.0, -1.0]) == pytest.approx(2 / 3)
    assert of("binary_cross_entropy", [0.4, 0.6], [0.9, 0.8]) == 0.5  # labels that are smoothed


def test_one_hot_targets_count_wrong_classes_under_any_loss():
    for name in ("mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
        assert of(name, [[0.1, 0.2], [0.4, 0.3]], [[1.0, 0.0], [1.0, 0.0]]) == 0.5


def test_numbers_are_compared_by_the_variance_of_all_targets_so_far():
    errors = Errors()
    first = errors.of("l1_loss", torch.tensor([0.0, 0.0]), torch.tensor([[2.0], [4.0]]), {})
    assert first.item() == pytest.approx(10.0 / 1.0)
    second = errors.of("l1_loss", torch.tensor([3.0]), torch.tensor([6.0]), {})
    assert second.item() == pytest.approx(9.0 / torch.tensor([2.0, 4.0, 6.0]).var(unbiased=False).item())
    assert errors.of("mse_loss", torch.zeros(3), torch.zeros(2), {}) is None


def train(net, loss, steps, *, batches=1):
    optimizer = torch.optim.SGD(net.parameters(), 0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        for _ in range(batches):
            loss(net(torch.eye(2)), torch.tensor([1, 0])).backward()
        optimizer.step()


def network():
    net = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    return net


def test_every_step_is_noted_and_the_rest_at_the_end(stage, tmp_path):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    train(network(), nn.CrossEntropyLoss(), 60)
    assert read_score(file)[0] == list(range(50))
    stage.ends()
    stage.ends()
    steps, errors = read_score(file)
    assert steps == list(range(60))
    assert errors[0] == 1.0
    assert errors[-1] == 0.0


def test_the_mean_of_a_steps_losses_is_noted_and_evaluations_are_not(stage, tmp_path):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    net = network()

    def loss(outputs, targets):
        with torch.no_grad():
            F.cross_entropy(outputs, targets)
        F.cross_entropy(outputs.detach(), targets)
        return F.cross_entropy(outputs, targets) + F.cross_entropy(outputs, 1 - targets)

    train(net, loss, 2, batches=2)
    stage.ends()
    assert read_score(file) == ([0, 1], [0.5, 0.5])


def test_the_programs_own_outputs_and_targets_are_scored_not_those_of_a_remedy(stage, tmp_path):
    file = tmp_path / "score.jsonl"

    def reversed_loss(call):
        return F.nll_loss(-call.input, 1 - call.target)

    wrap_losses(stage, ("cross_entropy",), reversed_loss)
    score.note(stage, file)
    stage.install()
    train(network(), F.cross_entropy, 1)
    stage.ends()
    assert read_score(file) == ([0], [1.0])


@pytest.mark.parametrize(
    "loss",
    [
        lambda outputs, targets: ((outputs - targets) ** 2).mean(),
        lambda outputs, targets: (targets - outputs.squeeze(1)).abs().mean(),
        lambda outputs, targets: torch.sub(outputs, targets.unsqueeze(1)).square().mean(),
    ],
)
def test_without_a_loss_function_the_last_difference_of_a_step_is_scored(stage, tmp_path, loss):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    weight = nn.Parameter(torch.tensor([[1.0]]))
    optimizer = torch.optim.SGD([weight], 0.1)
    inputs, targets = torch.tensor([[1.0], [2.0], [6.0]]), torch.tensor([3.0, 4.0, 8.0])
    (weight - torch.tensor([[5.0]])).sum().backward()
    loss(inputs @ weight, targets).backward()  # every output is 2 below its target; the targets' variance is 14 / 3
    optimizer.step()
    stage.ends()
    assert read_score(file) == ([0], [pytest.approx(4 / (14 / 3))])


@pytest.mark.parametrize(
    "loss",
    [
        lambda scores, classes: -scores.log_softmax(1).gather(1, classes[:, None]).mean(),
        lambda scores, classes: torch.gather(-scores.log_softmax(1), dim=1, index=classes.unsqueeze(1)).mean(),
        lambda scores, classes: -scores.softmax(1)[torch.arange(4), classes].log().mean(),
        lambda scores, classes: -scores.softmax(1)[range(4), classes].log().mean(),
    ],
)
def test_so_is_the_last_choice_of_classes(stage, tmp_path, loss):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    weight = nn.Parameter(torch.eye(3))
    optimizer = torch.optim.SGD([weight], 0.1)
    loss(torch.eye(3)[[0, 1, 2, 2]] @ weight, torch.tensor([0, 1, 2, 0])).backward()  # the last is wrong
    optimizer.step()
    stage.ends()
    assert read_score(file) == ([0], [0.25])


def test_a_difference_beside_a_loss_function_does_not_count(stage, tmp_path):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    train(network(), lambda outputs, targets: F.cross_entropy(outputs - torch.full((2, 2), 9.0), targets), 1)
    stage.ends()
    assert read_score(file) == ([0], [1.0])


def test_the_training_is_the_same_bit_for_bit(stage, tmp_path):
    plain = network()
    train(plain, F.cross_entropy, 5)
    score.note(stage, tmp_path / "score.jsonl")
    stage.install()
    scored = network()
    train(scored, F.cross_entropy, 5)
    assert torch.equal(plain.weight, scored.weight)


def test_what_cannot_be_scored_is_left_out_and_does_no_harm(stage, tmp_path):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    net = network()
    train(net, lambda outputs, targets: F.cross_entropy(outputs, targets, reduction="none").sum(), 1)
    train(net, lambda outputs, targets: outputs.sum(), 1)
    with pytest.raises(ValueError, match="batch_size"):
        F.cross_entropy(net(torch.eye(2)), torch.zeros(3, dtype=torch.long))
    stage.ends()
    assert read_score(file)[0] == [0]


def test_a_loss_that_is_lost_is_noted_as_such(stage, tmp_path):
    file = tmp_path / "score.jsonl"
    score.note(stage, file)
    stage.install()
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], 0.1)
    F.mse_loss(weight * math.nan, torch.tensor([1.0, 3.0])).backward()
    optimizer.step()
    stage.ends()
    assert math.isnan(read_score(file)[1][0])
