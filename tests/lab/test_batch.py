"""Many trainings at once against one at a time, and the noise of the gradient against a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from unstuck.lab.batch_runs import Task, fit, noise_scale, reach
from unstuck.lab.flat_network import FlatNetwork


def _task(level: float = 0.5) -> Task:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=generator)
    return Task(FlatNetwork((3, 5, 2)), x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).long(), level)


def test_the_noise_scale_is_that_of_a_loop():
    task = _task()
    place = task.network.draw(1, torch.Generator().manual_seed(1))[0].requires_grad_()
    rows = []
    for x, y in zip(task.inputs, task.labels, strict=True):
        loss = cross_entropy(task.network.outputs(place, x[None]), y[None])
        rows.append(torch.autograd.grad(loss, place)[0])
    single = torch.stack(rows)
    mean = single.mean(0)
    spread = (single - mean).square().sum() / (len(rows) - 1)
    assert noise_scale(task, place.detach()) == pytest.approx(float(spread / mean.square().sum()), rel=1e-4)


def test_full_batches_take_the_steps_of_plain_gradient_descent():
    task = _task(0.6)
    starts = task.network.draw(2, torch.Generator().manual_seed(3))
    run = reach(task, 40, (0.3, 0.6), starts, 500, 0)
    counted = []
    for start in starts:
        place, steps = start.clone().requires_grad_(), 0
        while float((loss := cross_entropy(task.network.outputs(place, task.inputs), task.labels)).detach()) > 0.6:
            place = (place - run.rate * torch.autograd.grad(loss, place)[0]).detach().requires_grad_()
            steps += 1
        counted.append(steps)
    assert run.rate == 0.6
    assert run.steps.tolist() == counted


def test_a_level_out_of_reach_is_given_up():
    starts = torch.zeros(1, _task().network.size)
    assert reach(_task(-1.0), 4, (0.1,), starts, 32, 0) is None


def test_the_fit_finds_the_law_that_made_the_points():
    sizes = np.array([1.0, 4, 16, 64, 256])
    fewest, examples = fit(sizes, 30 + 2000 / sizes)
    assert fewest == pytest.approx(30, rel=0.02)
    assert examples == pytest.approx(2000, rel=0.02)
