"""First weights, the theory of wide networks against measurement, and the race."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unstuck.lab import depth_race, depth_signal
from unstuck.lab.data import Images
from unstuck.lab.experiment import Setting


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("scheme", "variance"),
    [(depth_signal.torch_default, 1 / 900), (depth_signal.glorot, 2 / 500), (depth_signal.he, 2 / 300)],
)
def test_variance_of_the_weights(scheme, variance):
    weight = scheme(300, 200, generator())
    assert weight.shape == (300, 200)
    assert float(weight.var()) == pytest.approx(variance, rel=0.03)
    assert abs(float(weight.mean())) < 0.03 * math.sqrt(variance)


def test_torch_draws_its_default_from_the_same_range():
    theirs = torch.nn.Linear(300, 200).weight
    ours = depth_signal.torch_default(300, 200, generator())
    for weight in (theirs, ours):
        assert float(weight.detach().abs().max()) == pytest.approx(300**-0.5, rel=1e-3)


@pytest.mark.parametrize("shape", [(8, 8), (9, 4), (4, 9)])
def test_orthogonal(shape):
    weight = depth_signal.orthogonal(*shape, generator())
    assert weight.shape == shape
    short = weight.T @ weight if shape[0] >= shape[1] else weight @ weight.T
    torch.testing.assert_close(short, torch.eye(min(shape)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("function", [torch.tanh, torch.relu])
def test_lsuv_gives_every_layer_variance_one(function):
    values = 5 * torch.randn(400, 20, generator=generator(1))
    for weight in depth_signal.lsuv([20, 30, 30, 10], function, values, generator()):
        sums = values @ weight
        assert 0.9 <= float(sums.var()) <= 1.1
        values = function(sums)


def test_theory_of_relu_is_known():
    squares, factors = depth_signal.theory(2.0, torch.relu, 4)
    assert squares == pytest.approx([2.0] * 4)
    assert factors == pytest.approx([1.0] * 3)
    assert depth_signal.theory(1 / 3, torch.relu, 3)[1] == pytest.approx([1 / 6] * 2)


def test_theory_of_scaled_layers():
    squares, factors = depth_signal.theory(math.nan, torch.relu, 3)
    assert (squares, factors) == (pytest.approx([1.0] * 3), pytest.approx([1.0] * 2))
    assert depth_signal.theory(math.nan, torch.tanh, 2)[1][0] > 1, "a tanh loses more of the signal than of the slope"


def test_theory_of_tanh_against_an_average_of_many_draws():
    z = torch.randn(2_000_000, generator=generator(), dtype=torch.float64)
    squares, factors = depth_signal.theory(1.5, torch.tanh, 2)
    assert squares == pytest.approx([1.5, float(1.5 * torch.tanh(z * math.sqrt(1.5)).square().mean())], rel=3e-3)
    slope = 1 - torch.tanh(z * math.sqrt(1.5)).square()
    assert factors == pytest.approx([float(1.5 * slope.square().mean())], rel=3e-3)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_product_has_the_known_edge(layers):
    units = 300
    largest, mean = depth_signal.product_of_layers(layers, units, generator())
    edge = (layers + 1) ** (layers + 1) / layers**layers  # Fuss and Catalan; about e L for many layers
    # Of finite matrices it follows Tracy and Widom: mean -1.21 and standard deviation 1.27 on this scale.
    scale = (layers + 1) ** (layers + 2 / 3) / (2 ** (1 / 3) * layers ** (layers - 1)) * units ** (-2 / 3)
    assert largest == pytest.approx(edge - 1.21 * scale, abs=4 * 1.27 * scale)
    assert mean == pytest.approx(1.0, rel=0.05)


def test_measurement_follows_theory():
    width, draws = 100, 2
    squares, gradients = depth_race.measure(Setting(), depth_race.Size(width, 50, draws, 1, 1))
    # The logarithm of a layer's mean square varies by sqrt(5 / width) from draw to draw with relu, less with tanh.
    each = math.sqrt(5 / width / draws)
    mean = each / math.sqrt(depth_race.DEPTH)
    assert squares.shape == gradients.shape == (10, depth_race.DEPTH)
    for number, (name, function) in enumerate(depth_race.PAIRS):
        predicted, factors = depth_signal.theory(
            depth_race.GAINS[name], depth_race.FUNCTIONS[function], depth_race.DEPTH
        )
        ratio = np.log(squares[number] / predicted)
        assert np.abs(np.diff(ratio)).max() < 5 * each, (name, function)
        measured = np.log(gradients[number, 0] / gradients[number, -1]) / (depth_race.DEPTH - 1)
        assert measured == pytest.approx(np.mean(np.log(factors)), abs=4 * mean), (name, function)


def test_the_race_counts_steps(monkeypatch):
    monkeypatch.setattr(depth_race, "SHAPE", (8,))
    inputs = torch.eye(4).repeat(20, 1)
    images = Images("made up", inputs, torch.arange(4).repeat(20), inputs, torch.arange(4))
    size = depth_race.Size(0, 0, 0, 2, 400, every=10, batch=20)
    steps = depth_race.race(Setting(), size, images)
    assert steps.shape == (10, 2)
    assert (steps % 10 == 0).all()
    assert steps.max() < 400
    short = depth_race.race(Setting(), depth_race.Size(0, 0, 0, 1, 5, batch=20), images)
    assert (short == 5).all(), "not there within five steps"
