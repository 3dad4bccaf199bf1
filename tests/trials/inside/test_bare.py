"""Weights without a module are drawn anew as those of layers are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.trials.inside.bare import draw_bare


def optimizer_of(*tensors):
    return torch.optim.SGD([tensor.requires_grad_() for tensor in tensors], lr=0.1)


@pytest.mark.parametrize(("scheme", "deviation"), [("glorot", (2 / 500) ** 0.5), ("he", (2 / 400) ** 0.5)])
def test_matrices_get_the_deviation_of_the_scheme(scheme, deviation):
    weight = torch.zeros(400, 100)
    assert draw_bare(optimizer_of(weight), [], scheme)
    assert float(weight.detach().std()) == pytest.approx(deviation, rel=0.05)


def test_orthogonal_columns():
    weight = torch.zeros(40, 10)
    assert draw_bare(optimizer_of(weight), [], "orthogonal")
    assert torch.allclose(weight.detach().T @ weight.detach(), torch.eye(10), atol=1e-5)


def test_biases_become_zero_and_scales_stay():
    weight, bias, scale, other = torch.zeros(4, 3), torch.full((3,), -12.0), torch.ones(3), torch.full((7,), 2.0)
    assert draw_bare(optimizer_of(weight, bias, scale, other), [], "he")
    assert bias.tolist() == [0, 0, 0]
    assert scale.tolist() == [1, 1, 1]
    assert other.tolist() == [2] * 7


def test_what_a_module_holds_and_what_is_not_trained_stays():
    layer, frozen = nn.Linear(3, 3), torch.zeros(3, 3)
    before = layer.weight.detach().clone()
    optimizer = torch.optim.SGD([*layer.parameters(), frozen], lr=0.1)
    assert not draw_bare(optimizer, [layer], "he")
    assert torch.equal(layer.weight, before)
    assert not frozen.any()


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix, self.vector = nn.Parameter(torch.full((40, 10), 9.0)), nn.Parameter(torch.full((40,), 2.0))
        self.layer = Layer(10, 2)


class Layer(nn.Linear):
    pass


def test_matrices_of_the_programs_own_modules_are_drawn_and_their_vectors_stay():
    own = Own()
    before = own.layer.weight.detach().clone()
    assert draw_bare(torch.optim.SGD(own.parameters(), lr=0.1), own.modules(), "he")
    assert float(own.matrix.detach().std()) == pytest.approx((2 / 40) ** 0.5, rel=0.2)
    assert own.vector.tolist() == [2] * 40
    assert torch.equal(own.layer.weight, before)


def test_the_random_numbers_of_the_program_stay_where_they_are_and_matrices_differ():
    one, other = torch.zeros(5, 5), torch.zeros(5, 5)
    state = torch.get_rng_state()
    draw_bare(optimizer_of(one, other), [], "glorot")
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(one, other)
