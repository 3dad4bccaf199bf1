"""The replayable step: computed again, its gradient is the program's own; and the program does not notice."""

from __future__ import annotations

import re
import warnings

import pytest
import torch

from tests.attach.trainings import NOT_REPLAYED, REPLAYED
from tests.attach.watching import plain, watch

#: Largest difference by which a replayed gradient may miss the real one, as a share of its norm.
LIMITS = {"autocast": 2e-2, "double precision": 1e-12}


@pytest.fixture(autouse=True)
def fresh_compiler():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's and TorchScript's own
        yield
        torch._dynamo.reset()


def assert_same(a: list[torch.Tensor], b: list[torch.Tensor]) -> None:
    assert len(a) == len(b)
    assert [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if not torch.equal(x, y)] == []


@pytest.mark.parametrize("name", REPLAYED)
def test_the_replayed_gradient_is_the_real_one(name, tmp_path, monkeypatch):
    train = REPLAYED[name]
    expected = plain(train)
    torch._dynamo.reset()
    seen = watch(train, tmp_path / "run", monkeypatch)
    assert_same(seen.result, expected)
    assert seen.run.errors == []
    assert seen.whys == []
    assert len(seen.steps) >= 2
    for step in seen.steps:
        assert step.error < LIMITS.get(name, 1e-6)
        assert any(grad.abs().sum() > 0 for grad in step.grads)


@pytest.mark.parametrize("name", NOT_REPLAYED)
def test_what_cannot_be_replayed_says_why(name, tmp_path, monkeypatch):
    train, why = NOT_REPLAYED[name]
    plain(train)  # TorchScript computes the last bits of its first model in a process in another way
    expected = plain(train)
    torch._dynamo.reset()
    seen = watch(train, tmp_path / "run", monkeypatch)
    assert_same(seen.result, expected)
    assert seen.run.errors == []
    assert seen.whys != []
    assert [text for text in seen.whys if not re.search(why, text)] == []


def test_the_loss_of_the_pulse_is_the_loss_of_the_program(tmp_path, monkeypatch):
    seen = watch(REPLAYED["re-entrant checkpointing"], tmp_path / "run", monkeypatch)
    pulse = seen.run.pulse[0]
    for probe in seen.run.probes:
        assert probe.m["loss"] == pytest.approx(pulse.loss[probe.step], rel=1e-6)


def test_every_optimizer_of_a_loop_is_probed(tmp_path, monkeypatch):
    seen = watch(REPLAYED["gan"], tmp_path / "run", monkeypatch)
    assert {probe.optimizer for probe in seen.run.probes} == {0, 1}


def test_probes_go_on_with_the_next_model(tmp_path, monkeypatch):
    seen = watch(REPLAYED["one after another"], tmp_path / "run", monkeypatch)
    assert {probe.optimizer for probe in seen.run.probes} == {0, 1}
