"""``unstuck.watch`` in this very process: what it sees, and that nothing of it stays behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.modules import module as nn_module
from torch.optim import Optimizer, optimizer
from torch.utils.data import dataloader

import unstuck
from unstuck import difficulties
from unstuck.difficulties.finding import Diagnosis, Finding, NotMeasured, Overhead, Verdict

PATCHED = [
    (Optimizer, "__init__"),
    (nn.Module, "__init__"),
    (nn.Module, "__call__"),
    (torch.autograd, "backward"),
    (torch.autograd.Function, "apply"),
    (torch.nn.utils.clip_grad, "clip_grad_norm_"),
    (torch.nn.utils, "clip_grad_norm_"),
    (torch.amp.grad_scaler.GradScaler, "scale"),
    (torch.amp.grad_scaler.GradScaler, "update"),
    (dataloader._BaseDataLoaderIter, "__next__"),
    (torch, "compile"),
    (torch.autograd.graph.saved_tensors_hooks, "__enter__"),
]


def patched() -> dict[tuple[object, str], object]:
    return {(owner, name): vars(owner).get(name) for owner, name in PATCHED}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNSTUCK_RUN_DIR", raising=False)


@pytest.fixture(autouse=True)
def leave_torch_as_it_was():
    before = patched()
    yield
    after = patched()
    assert [name for (owner, name), value in before.items() if after[owner, name] is not value] == []
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks
    assert not nn_module._global_forward_hooks
    assert not nn_module._global_forward_pre_hooks
    assert torch._C._len_torch_function_stack() == 0


@pytest.fixture
def judged(monkeypatch):
    """A diagnosis that does not depend on what difficulties there are."""

    def diagnose(run: unstuck.Run) -> Diagnosis:
        finding = Finding("saddle", "cause", 0.9, f"A saddle <after> {run.steps} steps.")
        missing = (NotMeasured("curvature", "no time"),)
        return Diagnosis(Verdict("stuck", "It is stuck."), (finding,), missing, Overhead(0.0, 0.0))

    monkeypatch.setattr(difficulties, "diagnose", diagnose, raising=False)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))


def train(model: nn.Module, optimizer: Optimizer, steps: int = 6) -> None:
    x, y = torch.randn(16, 5), torch.randint(3, (16,))
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def sgd(model: nn.Module) -> Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def test_a_block_is_watched_and_no_more():
    with unstuck.watch() as run:
        model = network()
        step = sgd(model)
        train(model, step)
        assert run.running
    train(model, step)
    assert not run.running
    assert run.run.steps == 6
    assert [layer.name for layer in run.run.layers] == ["0", "2"]
    assert run.run.end["reason"] == "exit"
    assert run.run.manifest["exit_code"] == 0
    assert run.run.errors == []


def test_a_plain_call_is_stopped_by_hand():
    run = unstuck.watch()
    model = network()
    train(model, sgd(model))
    assert run.stop() is run
    assert run.stop().run.steps == 6
    assert len(list(run.path.glob("rank*.jsonl"))) == 1


@pytest.mark.parametrize("given", [(), ("model",), ("optimizer",), ("model", "optimizer")], ids=" ".join)
def test_what_was_made_before_is_found(given):
    model = network()
    made = {"model": model, "optimizer": sgd(model)}
    with unstuck.watch(*(made[name] for name in given)) as run:
        train(model, made["optimizer"])
    assert run.run.steps == 6
    assert run.run.errors == []
    assert [probe.replay["ok"] for probe in run.run.probes] == [True] * len(run.run.probes)
    assert run.run.probes != []
    # A model and an optimizer that were there before are named as the program would have named them.
    assert [layer.parameters for layer in run.run.layers] == [("0.weight", "0.bias"), ("2.weight", "2.bias")]
    # Only an optimizer that is known beforehand can be captured at its first step.
    assert run.run.probes[0].step == (0 if "optimizer" in given else 1)


def test_the_training_is_the_same_to_the_bit():
    def result() -> list[torch.Tensor]:
        model = network()
        step = torch.optim.Adam(model.parameters(), lr=0.1)
        train(model, step)
        return [*model.parameters(), torch.get_rng_state()]

    plain = result()
    with unstuck.watch():
        watched = result()
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_an_exception_is_passed_on_and_recorded():
    model = network()
    step = sgd(model)
    run = unstuck.watch(step)

    def fail() -> None:
        with run:
            train(model, step, 2)
            model(torch.randn(1, 5))
            raise ZeroDivisionError("not ours")

    with pytest.raises(ZeroDivisionError):
        fail()
    assert run.run.end["exception"] == "ZeroDivisionError: not ours"
    assert run.run.manifest["exit_code"] == 1


def test_one_watch_at_a_time():
    with (
        unstuck.watch() as run,
        pytest.raises(unstuck.UsageError, match=r"running already, recording to .*call its stop"),
    ):
        unstuck.watch()
    with unstuck.watch() as second:
        assert second.path != run.path


def test_not_inside_unstuck_run(monkeypatch):
    monkeypatch.setenv("UNSTUCK_RUN_DIR", "somewhere")
    with pytest.raises(unstuck.UsageError, match="watched by 'unstuck run' already"):
        unstuck.watch()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3,), {}, "takes models and optimizers; got int: '3'"),
        ((), {"budget": 3.0}, "budget is a share"),
        ((), {"floor": -1.0}, "floor is a number of seconds"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(arguments, options, message):
    with pytest.raises(unstuck.UsageError, match=message):
        unstuck.watch(*arguments, **options)
    assert not Path("unstuck-runs").exists()


def test_without_probes_there_is_the_pulse():
    with unstuck.watch(probes=False, folder="here") as run:
        model = network()
        train(model, sgd(model))
    assert run.path.parent.name == "here"
    assert (run.run.steps, run.run.probes) == (6, [])


@pytest.mark.usefixtures("judged")
def test_verdict_and_findings_are_at_hand():
    with unstuck.watch() as run:
        model = network()
        train(model, sgd(model))
        assert run.verdict.state == "stuck"  # also while it runs
    assert run.findings[0].sentence == "A saddle <after> 6 steps."
    assert run.diagnosis is run.diagnosis
    assert "A saddle &lt;after&gt; 6 steps." in run._repr_html_()


@pytest.mark.usefixtures("judged")
def test_reports_are_written_where_they_are_wanted(tmp_path):
    with unstuck.watch() as run:
        model = network()
        train(model, sgd(model))
    assert json.loads(run.report(tmp_path / "x.json").read_text())["verdict"]["state"] == "stuck"
    assert "It is stuck." in run.report("x.md").read_text()
    assert run.report(tmp_path / "x.html").read_text().startswith("<!DOCTYPE html>")
    assert run.report() == run.path / "report.html"
    assert {path.name for path in run.path.glob("report.*")} == {"report.html", "report.md", "report.json"}
    with pytest.raises(unstuck.UsageError, match=r"\.html, \.md or \.json"):
        run.report("x.pdf")


def test_what_others_put_over_ours_stays():
    ours = nn.Module.__init__
    run = unstuck.watch()
    wrapped = nn.Module.__init__
    assert wrapped is not ours

    def theirs(module: nn.Module, *args: object, **kwargs: object) -> None:
        wrapped(module, *args, **kwargs)

    nn.Module.__init__ = theirs
    try:
        run.stop()
        assert nn.Module.__init__ is theirs
        model = network()  # goes through ours, which does nothing any more
        train(model, sgd(model))
        assert run.run.optimizers == []
    finally:
        nn.Module.__init__ = ours
