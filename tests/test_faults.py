"""A fault in any part of the measuring is written down, and the training goes on as if nothing had happened."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.attach.watching import took
from unstuck.attach.attachment import Attachment
from unstuck.attach.budget import Budget
from unstuck.measure import MEASUREMENTS
from unstuck.record.reader import Run, read_run
from unstuck.settings import Settings

#: Those of a plain run; the others need a custom function, or are part of ``unstuck check``.
NAMES = [*(m.name for m in MEASUREMENTS if m.cadence in ("every", "deep")), "parameters"]
#: Measurements that need another one's result.
NEEDS = {"held_out": "curvature"}


@pytest.fixture(autouse=True)
def every_other_step_is_a_probe(monkeypatch):
    monkeypatch.setattr(Budget, "wants", lambda *_: True)
    monkeypatch.setattr(Budget, "took", took)
    yield
    assert torch._C._len_torch_function_stack() == 0


def train() -> list[torch.Tensor]:
    """Train a small network for a while and return all that the training changed."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
    for _ in range(20):
        x, y = torch.randn(16, 6), torch.randint(3, (16,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    state = [value["momentum_buffer"] for value in optimizer.state.values()]
    return [*model.state_dict().values(), *state, torch.get_rng_state()]


def watched(folder, fault: str = "") -> tuple[Run, list[torch.Tensor]]:
    """Train under a session whose probes are all paid for."""
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema": 1}')
    attachment = Attachment(Settings(folder, floor=1e6, fault=fault))
    try:
        result = train()
    finally:
        attachment.end()
    return read_run(folder), result


def assert_same(a: list[torch.Tensor], b: list[torch.Tensor]) -> None:
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_without_a_fault_there_is_none(tmp_path):
    run, result = watched(tmp_path / "run")
    assert_same(result, train())
    assert run.errors == []
    assert len(run.probes) >= 3
    assert {name for probe in run.probes for name in probe.m} >= set(NAMES)  # else the tests below would test nothing


@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_that_fails_is_written_down_and_left_out(name, tmp_path):
    run, result = watched(tmp_path / "run", name)
    assert_same(result, train())
    assert [(error["where"], error["error"]) for error in run.errors] == [(name, "RuntimeError: injected fault")]
    assert "injected fault" in run.errors[0]["traceback"]
    first = next(index for index, probe in enumerate(run.probes) if name in probe.failed)
    for probe in run.probes[first:]:
        assert probe.failed[name] == "it failed with RuntimeError: injected fault"
        assert name not in probe.m
        assert probe.replay["ok"]
    measured = {other for probe in run.probes for other in probe.m}
    assert [other for other in NAMES if name not in (other, NEEDS.get(other)) and other not in measured] == []


def test_a_replay_that_fails_is_written_down_and_the_pulse_goes_on(tmp_path):
    run, result = watched(tmp_path / "run", "replay")
    assert_same(result, train())
    assert run.errors != []
    assert {error["where"] for error in run.errors} == {"replay"}
    assert all(not probe.replay["ok"] for probe in run.probes)
    assert "injected fault" in run.probes[0].replay["why"]
    assert run.steps == 20


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        ("unstuck.attach.capture.Capture", "backward_starts"),
        ("unstuck.attach.capture.Capture", "backward_ended"),
        ("unstuck.attach.capture.Capture", "step_starts"),
        ("unstuck.attach.capture.Capture", "open"),
        ("unstuck.attach.capture.Capture", "step_ended"),
        ("unstuck.attach.tape.Tape", "_draft"),
        ("unstuck.attach.tape.Tape", "_complete"),
        ("unstuck.attach.modules.Modules", "note"),
        ("unstuck.attach.modules.Modules", "names_of"),
        ("unstuck.attach.session.Session", "optimizer_made"),
        ("unstuck.attach.session.Session", "step_ended"),
        ("unstuck.attach.session.Session", "backward_starts"),
        ("unstuck.attach.session.Session", "_norm"),
        ("unstuck.attach.pulse.Pulse", "drain"),
        ("unstuck.record.writer.Writer", "write"),
    ],
)
@pytest.mark.parametrize("error", [RuntimeError, OSError])
def test_a_fault_anywhere_does_no_harm(owner, method, error, tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise error("injected fault")

    monkeypatch.setattr(f"{owner}.{method}", fail)
    run, result = watched(tmp_path / "run")
    monkeypatch.undo()
    assert_same(result, train())
    if not owner.endswith("Writer"):  # what cannot be written cannot be told
        assert run.errors != []
        assert len(run.errors) <= 10
