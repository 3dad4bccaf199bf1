"""The three experiments on depth, in short form, with MNIST; and what they say without it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from tests.lab.mnist import needed
from unstuck.lab import data, depth_accuracy, depth_curves, depth_speed, plateau
from unstuck.lab.depth import Networks
from unstuck.lab.depth_accuracy import DepthAccuracy
from unstuck.lab.depth_curves import DepthCurves
from unstuck.lab.depth_speed import DepthSpeed
from unstuck.lab.experiment import Experiment, Setting
from unstuck.lab.page import render
from unstuck.lab.performing import perform

ALL = (DepthAccuracy(), DepthSpeed(), DepthCurves())


@pytest.mark.parametrize("experiment", ALL, ids=lambda one: one.name)
def test_without_mnist_it_says_what_is_missing(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (depth_accuracy, depth_curves, depth_speed, plateau):
        monkeypatch.setattr(module, "load_mnist", data.load_mnist.__wrapped__)
    monkeypatch.setattr(data, "find_mnist", lambda: None)
    done = perform(experiment, Setting(quick=True))
    assert done.outcome is None
    assert "this experiment needs MNIST" in done.problem


@pytest.mark.parametrize("experiment", ALL[:2], ids=lambda one: one.name)
def test_the_same_seed_gives_the_same_numbers(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    needed(monkeypatch)
    monkeypatch.setattr(depth_accuracy, "_QUICK", depth_accuracy._Form(500, 2, 2))
    runs = [perform(experiment, Setting(quick=True, seed=seed)) for seed in (1, 1, 2)]
    numbers = [[row.ours for row in run.outcome.comparisons if "NumPy" not in row.what] for run in runs if run.outcome]
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]
    page = render(runs)
    assert all(row.what in page for run in runs if run.outcome for row in run.outcome.comparisons)
    json.dumps([run.to_json() for run in runs], allow_nan=False)


def test_a_network_of_one_layer_learns_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    needed(monkeypatch)
    images, labels = data.load_mnist("train")
    validation = tuple(part[:2000] for part in data.load_mnist("validation"))
    curve = depth_accuracy.train(1, [0, 1], (images[:4000], labels[:4000]), validation, 4, Setting())
    assert curve.shape == (4, 2)
    assert curve[-1].min() > 0.85
    assert curve[-1].mean() > curve[0].mean()


def test_published_speeds_lie_where_ours_do(monkeypatch: pytest.MonkeyPatch) -> None:
    needed(monkeypatch)
    outcome = DepthSpeed().run(Setting(quick=True))
    compared = [row for row in outcome.comparisons if row.band]
    assert len(compared) == 9
    assert all(row.agrees for row in compared)
    for row in compared:
        low, high = row.band or (0.0, 0.0)
        assert low <= float(row.published) <= high, "the note says so"
    assert len(outcome.pictures) == 2


def test_the_deepest_network_stays_on_the_plateau_until_its_causes_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed(monkeypatch)
    outcome = DepthCurves().run(Setting(quick=True))
    row = {one.what: one.ours for one in outcome.comparisons}
    assert row["4 hidden: cost at the end"] == pytest.approx(row["cost of the best constant answer"], abs=2e-3)
    assert row["4 hidden, eta 1, lambda 0: left the plateau within 700 epochs, of 1"] == 1
    assert row["4 hidden, eta 1, lambda 5: left the plateau within 700 epochs, of 1"] == 0
    assert not any(one.published for one in outcome.comparisons), "the short form compares nothing"
    assert row["4 hidden, eta 0.1, lambda 0, plateau: smallest curvature"] < -1e-3
    assert "a saddle" in outcome.seen[2]


def test_the_cost_of_the_best_constant_is_an_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    needed(monkeypatch)
    constant, majority = plateau.prior()
    labels = data.load_mnist("train")[1][:1000]
    share = [float((labels == digit).double().mean()) for digit in range(10)]
    assert constant == pytest.approx(-sum(p * math.log(p) + (1 - p) * math.log(1 - p) for p in share))
    assert majority == max(share)
    around = [sum(-p * math.log(p + d) - (1 - p) * math.log(1 - p - d) for p in share) for d in (-1e-3, 1e-3)]
    assert min(around) > constant


def test_the_epoch_of_an_escape() -> None:
    assert plateau.escape(np.array([4.0, 3.3, 3.24, 3.1, 3.3]), 3.25) == 3
    assert plateau.escape(np.array([4.0, 3.3]), 3.25) is None


def test_speeds_do_not_depend_on_how_many_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    needed(monkeypatch)
    whole = depth_speed.ensemble(3, 6, Setting())
    monkeypatch.setattr(depth_speed, "_TOGETHER", 4)
    np.testing.assert_allclose(depth_speed.ensemble(3, 6, Setting()), whole, rtol=1e-4)
    assert whole.shape == (3, 6)
    assert (np.diff(whole, axis=0) > 0).all(), "the later the layer, the faster"
    assert torch.get_default_dtype() == torch.float32


def test_curvature_is_that_of_a_dense_hessian(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tiny(Networks):
        def __init__(self) -> None:
            generator = torch.Generator().manual_seed(2)
            shapes = [(3, 6), (10, 3)]
            self.weights = [torch.randn(1, *shape, generator=generator) for shape in shapes]
            self.biases = [torch.randn(1, shape[0], 1, generator=generator) for shape in shapes]

    generator = torch.Generator().manual_seed(3)
    images, labels = torch.rand(1000, 6, generator=generator), torch.randint(0, 10, (1000,), generator=generator)
    monkeypatch.setattr(plateau, "load_mnist", lambda split: (images, labels))
    monkeypatch.setattr(plateau, "_PRODUCTS", 61)
    tiny = Tiny()
    values = [v[0].double() for v in (*tiny.weights, *tiny.biases)]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        w, v, b, c = (
            part.view(one.shape) for part, one in zip(flat.split([o.numel() for o in values]), values, strict=True)
        )
        a = (v @ (w @ images.T.double() + b).sigmoid() + c).sigmoid()
        y = torch.nn.functional.one_hot(labels, 10).T
        return -(y * a.log() + (1 - y) * (1 - a).log()).sum() / 1000

    dense = torch.autograd.functional.hessian(loss, torch.cat([v.flatten() for v in values]))
    expected = torch.linalg.eigvalsh(dense)
    low, high = plateau.curvature(tiny, 0)
    assert low == pytest.approx(float(expected[0]), rel=1e-6)
    assert high == pytest.approx(float(expected[-1]), rel=1e-6)
