"""Which parameters take part in a step: held, reached, frozen, forgotten, and what was in their gradients before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.attach.watching import watch


@pytest.fixture
def audited(tmp_path, monkeypatch):
    """Gives the last probe's ``parameters`` of a training."""

    def of(train):
        seen = watch(train, tmp_path / "run", monkeypatch)
        assert seen.run.errors == []
        return seen.run.probes[-1].m["parameters"]

    return of


def loop(optimizer, loss, *, zero=True, steps=4):
    for _ in range(steps):
        if zero:
            optimizer.zero_grad()
        loss().backward()
        optimizer.step()


def test_a_sound_program(audited):
    def train():
        model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
        loop(torch.optim.SGD(model.parameters(), lr=0.1), lambda: model(torch.randn(5, 4)).square().mean())

    found = audited(train)
    assert (found["held"], found["held_elements"], found["reached"]) == (4, 19, 4)
    assert [found[name] for name in ("outside_count", "frozen_count", "unreached_count", "unchanged_count")] == [0] * 4
    assert found["stale_norm"] is None
    assert found["raw_norm"] == pytest.approx(found["used_norm"])
    assert (found["backwards"], found["lr"]) == (1, [0.1])


def test_parameters_that_no_optimizer_has(audited):
    def train():
        body, head = nn.Linear(4, 3), nn.Linear(3, 1)
        loop(torch.optim.SGD(head.parameters(), lr=0.1), lambda: head(body(torch.randn(5, 4))).square().mean())

    found = audited(train)
    assert (found["outside_count"], found["outside_elements"]) == (2, 15)


def test_frozen_and_unreached_parameters(audited):
    def train():
        model = nn.ModuleDict({"used": nn.Linear(4, 1), "frozen": nn.Linear(4, 4), "left": nn.Linear(2, 2)})
        model["frozen"].requires_grad_(False)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loop(optimizer, lambda: model["used"](model["frozen"](torch.randn(5, 4))).square().mean())

    found = audited(train)
    assert found["frozen"] == ["frozen.weight", "frozen.bias"]
    assert found["unreached"] == ["left.weight", "left.bias"]
    assert found["no_gradient"] == ["left.weight", "left.bias"]


def test_a_step_that_changes_nothing(audited):
    def train():
        model = nn.Linear(4, 1)
        loop(torch.optim.SGD(model.parameters(), lr=0.0), lambda: model(torch.randn(5, 4)).square().mean())

    assert audited(train)["unchanged"] == ["weight", "bias"]


def test_gradients_left_over(audited):
    def train():
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        loop(optimizer, lambda: model(torch.randn(5, 4)).square().mean(), zero=False)

    found = audited(train)
    assert found["stale_norm"] > 0


def test_clipping_is_between_raw_and_used(audited):
    def train():
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(4):
            optimizer.zero_grad()
            (100 * model(torch.randn(5, 4)).square().mean()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()

    found = audited(train)
    assert found["used_norm"] == pytest.approx(0.5, rel=1e-3)
    assert found["raw_norm"] > 0.6
