"""The arithmetic of Quickprop, against Fahlman's program weight by weight, and all at once against one by one."""

from __future__ import annotations

import pytest
import torch

from tests.optim.fahlman_1988 import Weight
from unstuck.optim import Quickprop

BRANCHES = {"start", "growth down", "growth up", "parabola down", "parabola up", "back down", "back up"}


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize(("mu", "decay", "lr"), [(1.75, 0.0, 0.1), (2.0, 1e-2, 0.5), (0.5, 0.0, 1e-3)])
def test_every_weight_goes_as_in_fahlmans_program(foreach, mu, decay, lr):
    random = torch.Generator().manual_seed(3)
    start = torch.randn(40, generator=random, dtype=torch.float64)
    weights = [Weight(float(w), mu, decay) for w in start]
    param = start.clone().requires_grad_()
    optimizer = Quickprop([param], lr, mu, decay, foreach=foreach)
    for step in range(60):
        slopes = torch.randn(40, generator=random, dtype=torch.float64)
        slopes[torch.rand(40, generator=random) < 0.1] = 0.0  # so that some weights stop and start again
        slopes *= 10.0 ** (step % 5 - 2)
        param.grad = slopes
        optimizer.step()
        wanted = [weight.step(float(s), lr) for weight, s in zip(weights, slopes, strict=True)]
        torch.testing.assert_close(param.detach(), torch.tensor(wanted, dtype=torch.float64), rtol=1e-9, atol=1e-9)
    assert set().union(*(weight.branches for weight in weights)) == BRANCHES


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.complex64])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.01}, {"maximize": True, "weight_decay": 0.01}])
def test_all_at_once_gives_the_same_bits(dtype, options):
    def trained(foreach):
        random = torch.Generator().manual_seed(0)
        shapes = [(3, 4), (), (5,), (0,), (2, 3, 2)]
        params = [torch.randn(shape, generator=random).to(dtype).requires_grad_() for shape in shapes]
        extra = torch.randn(3, generator=random, dtype=torch.float64).requires_grad_()
        optimizer = Quickprop([*params, extra], 0.1, foreach=foreach, **options)
        for _ in range(12):
            for param in (*params, extra):
                param.grad = torch.randn(param.shape, generator=random).to(param.dtype)
            optimizer.step()
        return [p.detach() for p in (*params, extra)]

    one, other = trained(False), trained(True)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(a.isfinite().all() for a in one)


@pytest.mark.parametrize("foreach", [False, True])
def test_nothing_is_divided_by_zero(foreach):
    param = torch.tensor([1.0, 1.0, 1.0, 1.0], requires_grad=True)
    optimizer = Quickprop([param], 0.5, foreach=foreach)
    for slopes in ([0.0, 1.0, 1.0, 1e-30], [0.0, 1.0, 0.0, 1e-30], [1.0, 1.0, 0.0, -1e-30]):
        param.grad = torch.tensor(slopes)
        optimizer.step()
    # The same slope twice has no parabola: the step grows by mu, beside the gradient term.
    steps = [0.5, 0.5 * 1.75 + 0.5, (0.5 * 1.75 + 0.5) * 1.75 + 0.5]
    torch.testing.assert_close(param.detach(), torch.tensor([0.5, 1 - sum(steps), 0.5, 1.0]))


@pytest.mark.parametrize("foreach", [False, True])
def test_a_parabola_is_solved_in_two_steps(foreach):
    # Beyond the minimum there is no gradient term, so the second step lands on it exactly.
    param = torch.tensor([-3.0, 5.0], dtype=torch.float64, requires_grad=True)
    scale, minimum = torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0])
    optimizer = Quickprop([param], 3.0, foreach=foreach)
    for _ in range(2):
        optimizer.zero_grad()
        (scale * (param - minimum) ** 2 / 2).sum().backward()
        optimizer.step()
    assert param.tolist() == [1.0, -1.0]


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("first", [False, True])
def test_a_gradient_that_is_not_finite_is_not_hidden(foreach, bad, first):
    param = torch.ones(2, requires_grad=True)
    optimizer = Quickprop([param], 0.1, foreach=foreach)
    for step in range(3):
        param.grad = torch.tensor([bad if first or step == 1 else 1.0, 1.0])
        optimizer.step()
    assert not param[0].isfinite()
    assert param[1].isfinite()


@pytest.mark.parametrize("foreach", [False, True])
def test_a_state_of_another_direction_only_turns_round(foreach):
    # State that was loaded after `maximize` was switched: the last step went uphill.
    param = torch.zeros(2, requires_grad=True)
    optimizer = Quickprop([param], 0.1, foreach=foreach)
    optimizer.state[param] = {"slope": torch.tensor([1.0, 1.0]), "delta": torch.tensor([2.0, 2.0])}
    param.grad = torch.tensor([1.0, 3.0])
    optimizer.step()
    assert param.tolist() == [-2.0, -2.0]
