"""Saturated layers: first weights, gradients, Jacobians and training against plain references."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unstuck.lab import saturation
from unstuck.lab.data import Images
from unstuck.lab.experiment import Setting
from unstuck.lab.saturation_runs import (
    KINDS,
    RATES,
    Size,
    draw,
    first_gradients,
    mean_singular_value,
    saturated,
    train,
)

SIZE = Size(images=40, width=6, epochs=2, sigmoid_epochs=2, wide=12, points=3)


@pytest.fixture(scope="module")
def images():
    inputs = torch.rand(40, 9, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(40) % 10
    return Images("made up", inputs, labels, inputs[:20], labels[:20])


def test_first_weights_differ_in_scale_only():
    networks = draw(("tanh", "tanh N", "sigmoid"), [300, 200, 10], Setting())
    weight = networks.layers[0][0]
    assert float(weight[0].abs().max()) == pytest.approx(300**-0.5, rel=1e-3)
    assert float(weight[1].abs().max()) == pytest.approx(math.sqrt(6 / 500), rel=1e-3)
    assert torch.equal(weight[0], weight[2])
    torch.testing.assert_close(weight[1] / weight[0], torch.full_like(weight[0], math.sqrt(6 * 300 / 500)))
    assert not any(bias.any() for _, bias in networks.layers)


def test_which_activations_are_saturated():
    values = torch.tensor([-0.96, 0.04, 0.5, 0.96])
    assert saturated("sigmoid", values[1:]).tolist() == [True, False, True]
    assert saturated("tanh N", values).tolist() == [True, False, False, True]


def test_first_gradients_against_a_loop(images):
    networks = draw(("tanh",), [9, *[SIZE.wide] * 3, 10], Setting())
    seen = [[], [], []]
    for one, label in zip(images.inputs, images.labels, strict=True):
        values, sums = one, []
        for weight, _ in networks.layers:
            sums.append((values @ weight[0]).requires_grad_())
            values = torch.tanh(sums[-1])
        loss = torch.nn.functional.cross_entropy(sums[-1], label)
        slopes = torch.autograd.grad(loss, sums[:-1])
        for layer, slope in zip(seen, slopes, strict=True):
            layer.append(slope)
    wanted = [float(torch.stack(layer).double().std()) for layer in seen]
    assert first_gradients("tanh", 3, Setting(), SIZE, images) == pytest.approx(wanted, rel=1e-4)


def test_mean_singular_value_against_autograd(images):
    networks = draw(("tanh N",), [9, *[SIZE.wide] * 3, 10], Setting())
    values = []
    for one in images.inputs[: SIZE.points]:
        a = torch.tanh(one @ networks.layers[0][0][0])
        for weight, _ in networks.layers[1:-1]:
            jacobian = torch.autograd.functional.jacobian(lambda a, w=weight[0]: torch.tanh(a @ w), a)
            values.append(float(torch.linalg.svdvals(jacobian).mean()))
            a = torch.tanh(a @ weight[0])
    assert mean_singular_value("tanh N", 3, Setting(), SIZE, images) == pytest.approx(np.mean(values), rel=1e-4)


def test_the_scale_of_a_linear_layer_is_that_of_the_quarter_circle(images):
    wide = Size(40, 6, 1, 1, 200, 1)
    dark = Images("dark", images.inputs * 1e-3, images.labels, images.inputs, images.labels)
    mean = 8 / (3 * math.pi)  # of the singular values of a square matrix of variance 1/n
    assert mean_singular_value("tanh N", 3, Setting(), wide, dark) == pytest.approx(mean, rel=0.02)
    assert mean_singular_value("tanh", 3, Setting(), wide, dark) == pytest.approx(mean / math.sqrt(3), rel=0.02)


def test_training_together_is_training_alone(images):
    together = train(tuple(KINDS), 2, 2, Setting(), SIZE, images)
    assert [course.kind for course in together] == list(KINDS)
    for course in together:
        assert course.mean.shape == course.spread.shape == course.flat.shape == (3, 2)
        (alone,) = train((course.kind,), 2, 2, Setting(), SIZE, images)
        assert course.mean == pytest.approx(alone.mean, abs=1e-5)
        assert course.error == alone.error


def test_training_against_torch(images):
    (course,) = train(("sigmoid",), 1, 1, Setting(), SIZE, images)
    start = draw(("sigmoid",), [9, 6, 10], Setting())
    weights = [value[0].clone().requires_grad_() for layer in start.layers for value in layer]
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(weights, lr=RATES["sigmoid"])

    def hidden(inputs):
        return torch.sigmoid(inputs @ weights[0] + weights[1])

    for batch in order.split(10):
        optimizer.zero_grad()
        outputs = hidden(images.inputs[batch]) @ weights[2] + weights[3]
        torch.nn.functional.cross_entropy(outputs, images.labels[batch]).backward()
        optimizer.step()
    seen = hidden(images.test_inputs).detach()
    assert course.mean[1, 0] == pytest.approx(float(seen.mean()), rel=1e-4)
    assert course.spread[1, 0] == pytest.approx(float(seen.std()), rel=1e-4)


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ([0.5, 0.02, 0.03, 0.3, 0.4], "it comes back by epoch 3"),
        ([0.5, 0.2, 0.02, 0.03], "it has not come back by epoch 3 (0.030)"),
    ],
)
def test_whether_the_last_layer_comes_back(top, words):
    assert saturation._after(np.array(top)).startswith(words)
