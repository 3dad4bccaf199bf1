"""Where a loss that is not finite came from."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tests.attach.watching import watch
from unstuck.attach.forensics import first_bad_operation

ZERO = torch.zeros(2, requires_grad=True)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: (ZERO.log() * ZERO).sum(), "mul"),  # log keeps its input alone, which is finite
        (lambda: ((ZERO - 1).sqrt() ** 2).mean(), "sqrt"),
        (lambda: (ZERO + 1).sum(), None),
    ],
)
def test_the_first_bad_operation(make, name):
    assert first_bad_operation(make()) == name


def test_the_event_says_where(tmp_path, monkeypatch):
    def train():
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(6):
            optimizer.zero_grad()
            out = model(torch.ones(4, 3)) if step < 4 else model(torch.full((4, 3), math.nan))
            torch.sqrt(out.square() + 1).mean().backward()
            optimizer.step()

    run = watch(train, tmp_path / "run", monkeypatch).run
    events = [event for event in run.events if event["name"] == "not_finite"]
    assert len(events) == 1  # only the first
    assert (events[0]["step"], events[0]["value"], events[0]["parameters_total"]) == (4, "nan", 2)
    assert events[0]["parameters"] == []
    assert run.errors == []


def test_a_graph_that_is_computed_on_demand_is_not_looked_at(tmp_path, monkeypatch):
    """With checkpointing a look at what is saved would run the program's forward pass once more."""
    calls = []

    class Block(nn.Linear):
        def forward(self, x):
            calls.append(1)
            return super().forward(x).exp()

    def train():
        block = Block(3, 3)
        optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            out = torch.utils.checkpoint.checkpoint(block, torch.full((4, 3), 1e5), use_reentrant=False)
            out.mean().backward()
            optimizer.step()
        return list(block.parameters())

    train()
    expected = len(calls)
    calls.clear()
    run = watch(train, tmp_path / "run", monkeypatch).run
    assert len(calls) == expected
    assert [event["operation"] for event in run.events if event["name"] == "not_finite"] == [None]
