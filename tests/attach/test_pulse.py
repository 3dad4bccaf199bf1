"""The pulse: what is noted at every step arrives in the record as it was."""

from __future__ import annotations

import math

import pytest
import torch

from unstuck.attach.log import Log
from unstuck.attach.pulse import Pulse, clip_of, gradient_norm, rate, thinned
from unstuck.record.reader import read_run


@pytest.fixture
def written(tmp_path):
    (tmp_path / "manifest.json").write_text('{"schema": 1}')

    def of(rows):
        pulse = Pulse(Log(tmp_path), 0, 10.0)
        for row in rows:
            pulse.rows.append(row)
        assert pulse.waiting
        pulse.drain(20.0, last=True)
        assert not pulse.waiting
        return read_run(tmp_path).pulse[0]

    return of


def test_plain_rows(written):
    pulse = written([(0, 10.5, 2.0, 0.1, 3.0, None, 0.25), (1, 11.0, None, None, None, None, 0.0)])
    assert pulse.step.tolist() == [0, 1]
    assert pulse.time.tolist() == [0.5, 1.0]
    assert pulse.wait.tolist() == [0.25, 0.0]
    assert (pulse.loss[0], pulse.lr[0], pulse.grad_norm[0]) == (2.0, 0.1, 3.0)
    assert all(math.isnan(column[1]) for column in (pulse.loss, pulse.lr, pulse.grad_norm, pulse.clipped_norm))


def test_tensors_are_fetched_and_losses_added_up(written):
    rows = [
        (0, 10.5, (torch.tensor(1.0), 2.0, torch.tensor([0.5, 0.5])), torch.tensor(0.3), torch.tensor(4.0), 1.0, 0.0),
        (1, 10.6, torch.tensor(7.0), 0.1, torch.tensor(0.5), 1.0, 0.0),
    ]
    pulse = written(rows)
    assert pulse.loss.tolist() == [4.0, 7.0]
    assert pulse.lr.tolist() == pytest.approx([0.3, 0.1])
    assert pulse.clipped_norm.tolist() == [1.0, 0.5]  # clipping never makes a gradient longer


def test_what_is_not_finite_is_kept(written):
    pulse = written([(0, 10.1, math.nan, 0.1, math.inf, None, 0.0), (1, 10.2, -math.inf, 0.1, None, None, 0.0)])
    assert math.isnan(pulse.loss[0])
    assert pulse.loss[1] == -math.inf
    assert pulse.grad_norm[0] == math.inf
    assert pulse.loss_seen.tolist() == [True, True]


def test_a_long_run_is_thinned(written):
    rows = [(i, 10 + i * 1e-3, float(i), 0.1, None, None, 0.0) for i in range(30_000)]
    assert len(written(rows)) == 30_000


def test_thinning_keeps_means_sums_and_what_is_not_finite():
    columns = [
        [0, 1, 2],
        [0.1, 0.2, 0.3],
        [1.0, 3.0, math.nan],
        [0.5, 0.4, 0.3],
        [2.0, None, None],
        [None] * 3,
        [1.0] * 3,
    ]
    step, time, loss, lr, norm, clipped, wait = thinned(columns, 2)
    assert (step, time, lr, wait) == ([1, 2], [0.2, 0.3], [0.4, 0.3], [2.0, 1.0])
    assert loss[0] == 2.0
    assert math.isnan(loss[1])
    assert (norm, clipped) == ([2.0, None], [None, None])


def test_gradient_norm():
    parameters = [
        torch.nn.Parameter(torch.zeros(3)),
        torch.nn.Parameter(torch.zeros(2, 2)),
        torch.nn.Parameter(torch.zeros(1)),
    ]
    assert gradient_norm(parameters) is None
    parameters[0].grad = torch.tensor([1.0, 2.0, 2.0])
    twice = torch.tensor([[0, 0], [1, 1]])  # the same place
    parameters[1].grad = torch.sparse_coo_tensor(twice, torch.tensor([2.0, 2.0]), (2, 2), check_invariants=True)
    assert float(gradient_norm(parameters)) == pytest.approx(5.0)


def test_a_rate_that_is_a_tensor_is_copied():
    lr = torch.tensor(0.1)
    kept = rate(lr)
    lr.fill_(0.2)
    assert float(kept) == pytest.approx(0.1)
    assert rate("fast") is None
    assert rate(1) == 1.0


@pytest.mark.parametrize(("norm", "expected"), [(3.0, (3.0, 1.0)), (0.5, (0.5, 0.5)), (math.inf, (math.inf, 1.0))])
def test_what_clipping_leaves(norm, expected):
    assert clip_of(torch.tensor(norm), 1.0) == expected
