"""The rivals of the two-spirals experiment, and its pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unstuck.lab.regions import Panel, regions
from unstuck.lab.shortcuts import RIVALS, _draw, count, outputs, train


def test_the_rivals_network_has_138_weights():
    assert count(2) == 138
    assert len(_draw(np.random.default_rng(0), 2)) == 138


def test_its_outputs_are_those_of_a_loop_over_units():
    generator = np.random.default_rng(0)
    weights, points = generator.normal(size=(3, 138)), generator.normal(size=(4, 2))
    for row, ours in zip(weights, outputs(torch.tensor(weights), torch.tensor(points)), strict=True):
        for point, out in zip(points, ours, strict=True):
            values, start = [1.0, *point], 0
            for size in (5, 5, 5, 1):
                seen = list(values)
                for _ in range(size):
                    values.append(1 / (1 + np.exp(-np.dot(row[start : start + len(seen)], seen))) - 0.5)
                    start += len(seen)
            assert out.item() == pytest.approx(values[-1])


def test_networks_side_by_side_are_those_that_run_alone():
    points = torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]], dtype=torch.float64)
    targets = torch.tensor([-0.5, 0.5, 0.5, -0.5], dtype=torch.float64)
    for rival in RIVALS[1:]:
        together = train(rival, points, targets, [0, 1], 300)
        assert together == [train(rival, points, targets, [seed], 300)[0] for seed in (0, 1)]
        assert None not in together


def test_a_map_shades_what_is_inside():
    points = np.array([[0.5, 0.5]])
    picture = regions("a-b", "t", "c", [Panel("half", lambda xy: xy[:, 0] > 0)], points, -points, 1.0)
    assert picture.drawings[0].count("<rect") == 78  # one run a row
    assert 'class="ring s2"' in picture.drawings[1]
