"""The leakage between examples, against the whole Jacobian of a network, pair by pair."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.measure.reference import ModuleStep
from unstuck.measure import leak
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation


class Layered(nn.Module):
    """A network with something between its two layers."""

    def __init__(self, between):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.between = between

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.between(torch.tanh(self.first(inputs))))


APART = {
    "nothing": lambda h: h,
    "layer norm": lambda h: nn.functional.layer_norm(h, (8,)),
    "softmax over units": lambda h: h.softmax(1),
    "flipped there and back": lambda h: h.flip(0).flip(0),
}
TOGETHER = {
    "softmax over the batch": lambda h: h.softmax(0),
    "mean of the batch": lambda h: h - h.mean(0),
    "batch read as units": lambda h: h.reshape(h.shape[1], h.shape[0]).t(),
    "neighbours mixed": lambda h: torch.cat([h[:, :7], h.roll(1, 0)[:, 7:]], 1),
    "one example only": lambda h: torch.cat([h[:1] + h[4:5], h[1:]]),
}


def step_of(between, examples: int = 10) -> ModuleStep:
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(examples, 6, generator=generator)
    return ModuleStep(Layered(between), nn.functional.mse_loss, inputs, torch.zeros(examples, 3))


def dense(step: ModuleStep) -> Tensor:
    """Norms of the derivative of each output with respect to each input, ``[N, N]``."""
    jacobian = torch.autograd.functional.jacobian(step.response().output, step.inputs)
    return jacobian.movedim(2, 1).flatten(2).norm(dim=2)


@pytest.mark.parametrize("name", APART)
def test_examples_that_are_kept_apart(name):
    step = step_of(APART[name])
    pairs = dense(step)
    assert (pairs - pairs.diag().diag()).abs().max() == 0
    found = leak.measure(Evaluation(step))
    assert not found["leaks"]
    assert found["largest"] == 0
    assert found["example"] is None


@pytest.mark.parametrize("name", TOGETHER)
def test_examples_that_leak_into_each_other(name):
    step = step_of(TOGETHER[name])
    pairs = dense(step)
    found = leak.measure(Evaluation(step))
    assert found["leaks"]
    i, j = found["example"]
    assert i != j
    assert pairs[i, j] > 1e-4 * pairs.diag().median()


def test_the_second_dimension_of_a_sequence_may_count_examples():
    torch.manual_seed(0)
    inputs = torch.randn(7, 5, 6)  # 7 moments, 5 examples

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.RNN(6, 4)

        def forward(self, given):
            return self.cell(given)[0][-1]

    step = ModuleStep(Last(), nn.functional.mse_loss, inputs, torch.zeros(5, 4))
    response = step.response()
    with pytest.raises(NotMeasurable, match="none that can be told"):
        leak.measure(Evaluation(step))
    step.response = lambda: type(response)(response.inputs, response.output, sequence=True)
    assert not leak.measure(Evaluation(step))["leaks"]


def test_what_cannot_be_told_is_not_measured():
    with pytest.raises(NotMeasurable, match="one example"):
        leak.measure(Evaluation(step_of(APART["nothing"], examples=1)))
    with pytest.raises(NotMeasurable, match="does not depend on the input"):
        leak.measure(Evaluation(step_of(lambda h: h * 0)))
