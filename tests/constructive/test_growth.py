"""The engine against the plain NumPy procedure and against autograd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.constructive.reference import cascade
from unstuck.constructive.candidates import _Pass as CandidatePass
from unstuck.constructive.candidates import centred, train_candidates
from unstuck.constructive.growth import Problem, grow
from unstuck.constructive.outputs import _Pass as OutputPass
from unstuck.constructive.outputs import train_outputs
from unstuck.constructive.quickprop import Quickprop
from unstuck.constructive.settings import SettingError, Settings
from unstuck.constructive.spirals import parity, two_spirals

#: Rounding errors grow with every epoch, as quickprop divides by differences of slopes: phases are short here.
SHORT = Settings(max_hidden=6, output_epochs=12, candidate_epochs=12)


def three_classes():
    generator = np.random.default_rng(5)
    inputs = torch.tensor(generator.normal(size=(60, 4)))
    numbers = (inputs[:, 0] * inputs[:, 1] > 0).long() + (inputs[:, 2] > 0.5).long()
    return inputs, torch.nn.functional.one_hot(numbers, 3).double()


@pytest.mark.parametrize(("data", "seed"), [(two_spirals, 0), (two_spirals, 1), (three_classes, 0)])
def test_each_phase_does_what_the_procedure_does(data, seed):
    inputs, targets = data()
    trace, settings, cases = [], replace(SHORT, max_hidden=15), Problem(inputs, targets).cases()
    cascade(inputs.numpy(), targets.numpy() - 0.5, settings, np.random.default_rng(seed), trace)
    assert len(trace) >= 8
    for kind, values, start, end in trace:
        seen = torch.tensor(values.T[None].copy())
        if kind == "outputs":
            state = Quickprop(turned(start[0]), settings.mu)
            state.steps, state.before = turned(start[1]), turned(start[2])
            ours = train_outputs(seen, cases, state, settings)
            assert ours.epochs == [end[4]]
            found = (ours.quickprop.weights, ours.quickprop.steps, ours.quickprop.before, ours.residuals)
            wanted = end[:4]
        else:
            chosen = train_candidates(seen, centred(turned(start[1]), cases), turned(start[0]), cases, settings)
            assert chosen.epochs == [end[2]]
            found, wanted = (
                (chosen.weights[..., None], chosen.covariances[..., None]),
                (end[0][:, None], end[1][:, None]),
            )
            found = tuple(one.transpose(1, 2) for one in found)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one[0].T, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_whole_run_does_what_the_procedure_does(seed):
    inputs, targets = two_spirals()
    settings = replace(SHORT, max_hidden=3)
    hidden, outputs, epochs, right = cascade(
        inputs.numpy(), targets.numpy() - 0.5, settings, np.random.default_rng(seed)
    )
    network = grow(Problem(inputs, targets), settings, [np.random.default_rng(seed)])[0]
    assert (network.hidden_units, network.epochs, network.right) == (len(hidden), epochs, right)
    for ours, theirs in zip(network.hidden, hidden, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.outputs[-1], outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_phases_of_full_length_give_the_same_first_unit(seed):
    inputs, targets = two_spirals()
    hidden, _, _, _ = cascade(
        inputs.numpy(), targets.numpy() - 0.5, Settings(max_hidden=1), np.random.default_rng(seed)
    )
    network = grow(Problem(inputs, targets), Settings(max_hidden=1), [np.random.default_rng(seed)])[0]
    np.testing.assert_allclose(network.hidden[0], hidden[0], rtol=1e-5, atol=1e-6)


def turned(array):
    """``[n, k]`` of the reference as ``[1, k, n]`` of the engine."""
    return torch.tensor(array.T[None].copy())


def test_trials_side_by_side_are_those_that_run_alone():
    inputs, targets = two_spirals()
    problem = Problem(inputs, targets)
    settings = replace(SHORT, output_patience=3, candidate_patience=2)  # trials leave their phases at various times
    together = grow(problem, settings, [np.random.default_rng(seed) for seed in range(8)])
    for seed, network in enumerate(together):
        alone = grow(problem, settings, [np.random.default_rng(seed)])[0]
        assert [phase.epochs for phase in network.phases] == [phase.epochs for phase in alone.phases]
        np.testing.assert_allclose(network.outputs[-1], alone.outputs[-1], rtol=1e-5, atol=1e-6)


def test_it_learns_the_two_spirals():
    inputs, targets = two_spirals(torch.float32)
    networks = grow(Problem(inputs, targets), Settings(), [np.random.default_rng(seed) for seed in range(10)])
    for network in networks:
        assert network.right
        assert 8 <= network.hidden_units <= 22
        assert ((network(inputs) - targets).abs() < 0.4).all()
        assert len(network.outputs) == network.hidden_units + 1
        assert ((network.cut(3)(inputs) - targets).abs() < 0.4).all().item() is False


def test_slopes_of_outputs_are_those_of_autograd():
    inputs, targets = three_classes()
    problem = Problem(inputs, targets, weights=torch.rand(60, dtype=torch.float64))
    values = torch.cat((torch.ones(60, 1), inputs), 1).T[None].contiguous().double()
    weights = torch.randn(1, 3, 5, dtype=torch.float64, requires_grad=True)
    error = (problem.weights * (torch.sigmoid(weights @ values) - targets.T) ** 2).sum() / 2
    error.backward()
    one = OutputPass(values, problem.cases(), Quickprop(weights.detach(), 2.0), Settings(offset=0.0))
    measured = one.measure()
    torch.testing.assert_close(one.quickprop.slopes, weights.grad)
    assert measured[1][0] == pytest.approx(2 * error.item())


def test_slopes_of_candidates_are_those_of_autograd():
    inputs, targets = three_classes()
    problem = Problem(inputs, targets, weights=torch.rand(60, dtype=torch.float64))
    values = torch.cat((torch.ones(60, 1), inputs), 1).T[None].contiguous().double()
    residuals = torch.randn(1, 3, 60, dtype=torch.float64)
    weights = torch.randn(1, 8, 5, dtype=torch.float64, requires_grad=True)
    p = problem.weights / problem.weights.sum()
    unit, e = torch.sigmoid(weights @ values)[0] - 0.5, residuals[0]
    moved = e - (p * e).sum(1, keepdim=True)
    covariance = (problem.weights * (unit - (p * unit).sum(1, keepdim=True))) @ moved.T
    score = covariance.abs().sum(1) / (problem.weights * e**2).sum()
    (-score.sum()).backward()
    one = CandidatePass(values, centred(residuals, problem.cases()), Quickprop(weights.detach(), 2.0))
    one.measure()
    one.note_signs()
    torch.testing.assert_close(one.scores[0], score.detach())
    one.slope()
    torch.testing.assert_close(one.quickprop.slopes, weights.grad)


def test_linear_outputs_have_the_least_error():
    generator = np.random.default_rng(0)
    base = generator.normal(size=(200, 2))  # thirty columns of two sources: quickprop would diverge
    inputs = base @ generator.normal(size=(2, 30)) + 0.1 * generator.normal(size=(200, 30))
    targets = generator.normal(size=(200, 2))
    problem = Problem(torch.tensor(inputs), torch.tensor(targets), linear=True)
    settings = Settings(max_hidden=4, output_decay=0.5, threshold=0.0)
    network = grow(problem, settings, [np.random.default_rng(0)])[0]
    values = network.unit_values(problem.inputs).numpy()
    wanted = np.linalg.solve(values.T @ values + 0.5 * np.eye(values.shape[1]), values.T @ targets)
    np.testing.assert_allclose(network.outputs[-1], wanted.T, rtol=1e-8)
    errors = [phase.value for phase in network.phases if phase.kind == "outputs"]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("linear", [False, True])
def test_a_weight_counts_as_repetition(linear):
    inputs, targets = three_classes()
    times = torch.tensor(np.random.default_rng(0).integers(1, 4, 60))
    repeated = Problem(inputs.repeat_interleave(times, 0), targets.repeat_interleave(times, 0), linear)
    weighted = Problem(inputs, targets, linear, times.double())
    settings = replace(SHORT, max_hidden=1)
    one, other = (grow(problem, settings, [np.random.default_rng(1)])[0] for problem in (repeated, weighted))
    np.testing.assert_allclose(one(inputs), other(inputs), rtol=1e-5, atol=1e-6)


def test_growth_goes_on_from_a_network_and_ends_where_the_monitor_says():
    inputs, targets = two_spirals()
    problem = Problem(inputs, targets)
    first = grow(problem, replace(SHORT, max_hidden=2), [np.random.default_rng(0)])[0]
    more = grow(problem, SHORT, [np.random.default_rng(1)], first, lambda _, network: network.hidden_units == 4)[0]
    assert (first.hidden_units, more.hidden_units) == (2, 4)
    assert all(ours is theirs for ours, theirs in zip(more.hidden, first.hidden, strict=False))


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_it_learns_parity(bits):
    inputs, odd = parity(bits)
    assert odd[:, 0].tolist() == [sum(x > 0 for x in row) % 2 for row in inputs.tolist()]
    networks = grow(Problem(inputs, odd), Settings(), [np.random.default_rng(seed) for seed in range(5)])
    assert all(network.right and network.hidden_units <= bits for network in networks)


def test_what_diverges_is_undone():
    inputs, targets = two_spirals()
    settings = replace(SHORT, output_rate=float("inf"), output_decay=1.0)
    network = grow(Problem(inputs, targets), settings, [np.random.default_rng(0)])[0]
    assert network.diverged
    assert not network.outputs


@pytest.mark.parametrize(("name", "value"), [("candidates", 0), ("mu", 0.0), ("output_decay", float("nan"))])
def test_a_setting_out_of_range_is_said(name, value):
    with pytest.raises(SettingError, match=f"{name} is {value}"):
        Settings(**{name: value})
