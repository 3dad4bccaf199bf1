"""The memory: passes against an obvious loop, and noise against theory."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.lab.sign_memory import passed, patterns


def test_a_pass_adds_what_is_missing_to_every_weight_with_its_sign():
    random = np.random.default_rng(0)
    bits, numbers = random.choice([-1.0, 1.0], (5, 8)), random.normal(size=5)
    weights = [0.5] * 8
    for pattern, number in zip(bits.tolist(), numbers.tolist(), strict=True):
        missing = number - sum(w * b for w, b in zip(weights, pattern, strict=True))
        weights = [w + missing * b / 8 for w, b in zip(weights, pattern, strict=True)]
    before = np.full(8, 0.5)
    assert passed(bits, numbers, before) == pytest.approx(np.array(weights))
    assert (before == 0.5).all()
    last = passed(bits, numbers, before)
    assert bits[-1] @ last == pytest.approx(numbers[-1])


def test_passes_lead_to_the_smallest_weights_that_store_all():
    random = np.random.default_rng(1)
    bits = patterns(64, 20, random)
    numbers, weights = random.normal(size=20), np.zeros(64)
    for _ in range(200):
        weights = passed(bits, numbers, weights)
    assert weights == pytest.approx(np.linalg.pinv(bits) @ numbers, abs=1e-9)
    assert bits @ weights == pytest.approx(numbers, abs=1e-9)


def test_noise_of_a_single_pass_of_storing_is_the_root_of_the_load():
    random = np.random.default_rng(2)
    n, m = 1024, 256
    bits, numbers = patterns(n, m, random), random.normal(size=m)
    noise = bits @ (bits.T @ numbers) / n - numbers
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(np.sqrt((m - 1) / n), rel=0.2)


def test_patterns_are_independent_signs():
    bits = patterns(512, 40, np.random.default_rng(3))
    products = (bits @ bits.T / 512)[np.triu_indices(40, 1)]
    assert abs(products.mean()) < 0.01
    assert products.var() == pytest.approx(1 / 512, rel=0.2)
