"""The gradients in closed form are those of autograd, of a loop over examples, and of a difference quotient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from unstuck.lab.depth import Networks, accuracy, cost, one_hot, speeds
from unstuck.lab.one_by_one import one_after_the_other, seconds_per_example

SEEDS = [3, 4]


def examples(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 784, generator=generator), torch.randint(0, 10, (count,), generator=generator)


def autograd(networks: Networks, number: int, x: torch.Tensor, y: torch.Tensor):  # type: ignore[no-untyped-def]
    """Return cost, weights and biases with gradients of one network by autograd, from logits, examples as rows."""
    weights = [w[number].clone().requires_grad_() for w in networks.weights]
    biases = [b[number, :, 0].clone().requires_grad_() for b in networks.biases]
    hidden = x
    for place, (w, b) in enumerate(zip(weights, biases, strict=True)):
        hidden = F.linear(hidden, w, b)
        if place < len(weights) - 1:
            hidden = hidden.sigmoid()
    loss = F.binary_cross_entropy_with_logits(hidden, F.one_hot(y, 10).float(), reduction="sum") / len(y)
    loss.backward()
    return loss.detach(), weights, biases


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("hidden", [1, 3])
def test_a_step_is_that_of_autograd(hidden: int, shared: bool) -> None:
    networks = Networks(hidden, SEEDS)
    x, y = examples(20)
    parts = [(x, y)] * 2 if shared else [(x[:10], y[:10]), (x[10:], y[10:])]
    expected = [autograd(networks, number, *part) for number, part in enumerate(parts)]
    if shared:
        inputs, targets = x.T, one_hot(y)
    else:
        inputs, targets = (torch.stack(z) for z in zip(*((a.T, one_hot(b)) for a, b in parts), strict=True))
    activations = networks.activations(inputs)
    deltas = networks.deltas(activations, targets)
    for number, (loss, _, biases) in enumerate(expected):
        assert cost(activations[-1], targets)[number] == pytest.approx(float(loss), rel=1e-5)
        for layer in range(hidden):
            assert speeds(deltas)[layer, number] == pytest.approx(float(biases[layer].grad.norm()), rel=1e-4)
    networks.step(activations, deltas, 0.5, 0.01)
    for number, (_, weights, biases) in enumerate(expected):
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
            torch.testing.assert_close(
                networks.weights[layer][number], 0.99 * w.detach() - 0.5 * w.grad, rtol=1e-4, atol=1e-6
            )
            torch.testing.assert_close(
                networks.biases[layer][number, :, 0], b.detach() - 0.5 * b.grad, rtol=1e-4, atol=1e-6
            )


def test_the_slow_way_takes_the_same_step() -> None:
    networks = Networks(2, SEEDS)
    x, y = examples(10)
    weights, biases = (
        [layer[1].numpy().astype(float) for layer in part] for part in (networks.weights, networks.biases)
    )
    targets = one_hot(y).T.numpy()
    batch = [(a[:, None], b[:, None]) for a, b in zip(x.numpy(), targets, strict=True)]
    new_weights, new_biases = one_after_the_other(weights, biases, batch, 0.3, 0.02)
    activations = networks.activations(x.T)
    networks.step(activations, networks.deltas(activations, one_hot(y)), 0.3, 0.02)
    for layer in range(3):
        np.testing.assert_allclose(networks.weights[layer][1].numpy(), new_weights[layer], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(networks.biases[layer][1].numpy(), new_biases[layer], rtol=1e-4, atol=1e-6)
    assert seconds_per_example(1, x, y, 5) > 0


def test_networks_do_not_depend_on_their_company_and_begin_as_the_book_says() -> None:
    alone, both = Networks(2, [4]), Networks(2, SEEDS)
    for a, b in zip(alone.weights + alone.biases, both.weights + both.biases, strict=True):
        assert torch.equal(a[0], b[1])
    assert float(both.weights[0].std()) * 28 == pytest.approx(1.0, abs=0.02)
    assert float(both.biases[0].std()) == pytest.approx(1.0, abs=0.25)


def test_accuracy_counts_the_largest_output() -> None:
    outputs = torch.eye(10)[:, :4].unsqueeze(0).repeat(2, 1, 1)
    outputs[1, 9, 0] = 2.0
    assert accuracy(outputs, torch.arange(4)).tolist() == [1.0, 0.75]
