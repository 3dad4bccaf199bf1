"""Weights behind a cut in the graph, frozen weights, and evaluations in training mode, as the record has them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.attach.watching import watch
from unstuck.attach.attachment import Attachment
from unstuck.settings import Settings

torch.manual_seed(0)
X, Y = torch.randn(6, 5), torch.randint(3, (6,))
SOURCE = Path(__file__).read_text().splitlines()


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(5, 8), nn.Linear(8, 3)


@pytest.fixture
def audited(tmp_path, monkeypatch):
    """Gives the last probe's ``parameters`` of a training with this forward function."""

    numbers = count()

    def of(forward, model=None):
        model = Two() if model is None else model

        def train():
            optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                F.cross_entropy(forward(model), Y).backward()
                optimizer.step()

        seen = watch(train, tmp_path / f"run{next(numbers)}", monkeypatch)
        assert seen.run.errors == []
        return seen.run.probes[-1].m["parameters"]

    return of


def by_detach(model):
    return model.head(model.body(X).relu().detach())


def by_data(model):
    return model.head(model.body(X).relu().data)


def by_numpy(model):
    return model.head(torch.from_numpy(model.body(X).relu().detach().numpy()))


def by_lists(model):
    return model.head(torch.tensor(model.body(X).relu().tolist()))


def by_no_grad(model):
    with torch.no_grad():
        hidden = model.body(X).relu()
    return model.head(hidden)


def by_no_grad_without_modules(model):
    with torch.no_grad():
        hidden = F.linear(X, model.body.weight, model.body.bias)
    return model.head(hidden)


@pytest.mark.parametrize(
    ("forward", "how", "text"),
    [
        (by_detach, "detach", ".detach())"),
        (by_data, "data", ".data"),
        (by_numpy, "detach", "from_numpy"),
        (by_lists, "tolist", ".tolist()"),
        (by_no_grad, "no_grad", "hidden = model.body"),
        (by_no_grad_without_modules, "no_grad", "hidden = F.linear"),
    ],
)
def test_a_cut_is_found_with_its_line(audited, forward, how, text):
    cut = audited(forward)["cut"]
    assert (cut["what"], cut["how"], cut["count"], cut["elements"]) == ("weights", how, 2, 48)
    assert cut["names"] == ["body.bias", "body.weight"]
    assert text in SOURCE[cut["line"] - 1]


def test_what_is_only_looked_at_is_no_cut(audited):
    def forward(model):
        hidden = model.body(X).relu()
        assert hidden.detach().mean().item() == hidden.mean().item()
        return model.head(hidden)

    assert audited(forward)["cut"] is None


def test_an_unused_layer_is_not_behind_a_cut(audited):
    found = audited(lambda model: model.body(X)[:, :3])
    assert (found["unreached_count"], found["cut"]) == (2, None)


def test_a_state_that_is_cut_at_every_time_step(audited):
    def forward(model, cut=True):
        state = torch.zeros(6, 8)
        for t in range(5):
            state = torch.tanh(model.body(X * t) + (state.detach() if cut else state))
        return model.head(state)

    cut = audited(forward)["cut"]
    assert (cut["what"], cut["times"]) == ("past", 4)
    assert audited(lambda model: forward(model, cut=False))["cut"] is None


def test_frozen_weights_in_use(audited):
    model = Two()
    model.body.requires_grad_(False)
    found = audited(lambda m: m.head(m.body(X).relu()), model)
    assert (found["frozen_used_elements"], found["loaded"]) == (48, False)
    model.load_state_dict(model.state_dict())
    assert audited(lambda m: m.head(m.body(X)), Two())["frozen_used_elements"] == 0


def test_loading_weights_is_noted(audited):
    saved = Two().state_dict()

    def forward(model):
        model.load_state_dict(saved) if not hasattr(model, "done") else None
        model.done = True
        return model.head(model.body(X))

    assert audited(forward)["loaded"] is True


@pytest.mark.parametrize("evaluating", [True, False])
def test_evaluations_are_looked_into(tmp_path, monkeypatch, evaluating):
    def train():
        model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            for _ in range(4):
                optimizer.zero_grad()
                F.cross_entropy(model(X), Y).backward()
                optimizer.step()
            model.train(not evaluating)
            with torch.no_grad():
                model(X)
            model.train()

    call = nn.Module.__call__
    # One probe only: evaluations inside a round are not looked into.
    seen = watch(train, tmp_path / "run", monkeypatch)
    assert nn.Module.__call__ is call
    events = [e for e in seen.run.events if e["name"] == "evaluation"]
    assert all((e["norms"], e["training"]) == (1, int(not evaluating)) for e in events)
    assert all("model(X)" in SOURCE[e["line"] - 1] for e in events)


def test_use_without_gradients_is_noted_once_between_two_steps(tmp_path, monkeypatch):
    def train():
        model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(40):
            for _ in range(3):
                with torch.no_grad():
                    model(X)
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()

    seen = watch(train, tmp_path / "run", monkeypatch)
    steps = [e["step"] for e in seen.run.events if e["name"] == "evaluation"]
    assert len(steps) == 6
    assert len(set(steps)) == 6
    assert all(e["norms"] == 0 for e in seen.run.events if e["name"] == "evaluation")


def test_a_step_inside_a_block_without_gradients_leaves_torch_as_it_was(tmp_path, monkeypatch):
    call, enter = nn.Module.__call__, torch.no_grad.__enter__

    def train():
        model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(6):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            with torch.no_grad():  # a probe round may begin in here
                optimizer.step()

    watch(train, tmp_path / "run", monkeypatch)
    assert (nn.Module.__call__, torch.no_grad.__enter__) == (call, enter)


def test_a_watch_that_ends_inside_a_block_leaves_torch_as_it_was(tmp_path):
    call = nn.Module.__call__
    (tmp_path / "manifest.json").write_text('{"schema": 1}')
    attachment = Attachment(Settings(tmp_path, probes=False))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    F.cross_entropy(model(X), Y).backward()
    optimizer.step()
    with torch.no_grad():
        assert nn.Module.__call__ is not call
        attachment.end()
    assert nn.Module.__call__ is call
