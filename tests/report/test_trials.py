"""The trials of a run in every form of its report."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess

import pytest
from rich.console import Console

from tests.difficulties.planted import FAULTY
from tests.trials.fake import FakeEngine, learns, prints, rate, settings
from unstuck.difficulties import diagnose
from unstuck.record import Run
from unstuck.report import html, markdown, terminal_trials, write_reports
from unstuck.report.as_json import to_json
from unstuck.report.effects import beside, effect, printed, raced_by
from unstuck.report.patch import patch_of, write_patch
from unstuck.report.trials import trials_of, with_trials
from unstuck.trials.arm import Arm
from unstuck.trials.metric import Metric
from unstuck.trials.race import run_race
from unstuck.trials.statistics import Interval

SLOW = FAULTY["step-too-small"]


def raced(folder, factors, **options) -> Run:
    """Return a run with trials of some learning rates that follow a formula."""
    run = SLOW.write(folder)
    arms = [Arm(rate(factor).remedies, "step-too-small") for factor in factors]
    run_race(settings(folder), arms, FakeEngine(lambda spec: learns(spec, **options)))
    return run


@pytest.fixture(scope="module")
def proven(tmp_path_factory):
    return raced(tmp_path_factory.mktemp("proven") / "run", (0.5, 8.0, 100.0))


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    return raced(tmp_path_factory.mktemp("nothing") / "run", (0.5, 0.9))


def shown(run: Run) -> str:
    console = Console(file=io.StringIO(), width=80)
    terminal_trials.show(trials_of(run), diagnose(run), console)
    return " ".join(console.file.getvalue().split())


def test_a_run_without_trials_has_none(tmp_path):
    run = SLOW.write(tmp_path / "run")
    assert trials_of(run) is None
    assert to_json(run, diagnose(run))["trials"] == []
    assert "What was proven" not in html.render(run, diagnose(run))
    assert terminal_trials.sentence(None) == "no trials were made"


def test_the_proven_arm_comes_first_with_its_edit(proven):
    trials = trials_of(proven)
    best = trials.arms[0]
    assert (best.status, best.label) == ("proven", "learning rate x 8")
    assert effect(best).startswith("reaches the same loss")
    assert "times sooner in steps (95 % interval" in effect(best)
    assert "write lr=" in best.edits[0].sentence
    statuses = [arm.status for arm in trials.arms[1:]]
    assert set(statuses) == {"dropped", "failed"}
    assert statuses == sorted(statuses)


def test_the_cost_of_the_cause_is_the_measured_one(proven):
    found = with_trials(proven, diagnose(proven)).findings[0]
    assert found.difficulty == "step-too-small"
    assert found.cost.measured_by == "trial"
    assert 6 < found.cost.low < found.cost.times_slower < found.cost.high < 11


def test_the_json_has_every_arm_in_its_public_form(proven):
    report = json.loads(json.dumps(to_json(proven, diagnose(proven)), allow_nan=False))
    first = report["trials"][0]
    assert list(first) == [
        "remedy", "difficulty", "proven", "status", "reason", "measure", "target", "speedup_steps", "speedup_time",
        "final", "metrics", "metric_speedups", "edit", "edits", "diff", "remedies", "folders",
    ]  # fmt: skip
    assert first["proven"] is True
    assert list(first["speedup_steps"]) == ["times", "low", "high", "pairs", "at_least"]
    assert first["speedup_steps"]["pairs"] == 3
    assert first["remedies"] == [{"kind": "learning-rate", "factor": 8.0}]
    assert all((proven.path / "trials" / name).is_dir() for name in first["folders"])
    others = report["trials"][1:]
    assert others
    assert not any(arm["proven"] for arm in others)


def test_the_page_shows_arms_curves_and_intervals(proven):
    page = html.render(proven, diagnose(proven))
    for text in ("What was proven", "learning rate x 8", "What to write", "All arms"):
        assert text in page
    assert 'class="trial-curves"' in page
    assert 'class="forest"' in page
    assert "polygon" in page


def test_markdown_and_terminal_say_the_same(proven):
    text = markdown.render(proven, diagnose(proven))
    assert "## Trials" in text
    assert "| learning rate x 8 | proven |" in text
    assert "PROVEN" in shown(proven)
    assert "do write lr=" in shown(proven)
    assert "did not help learning rate / 2" in shown(proven)
    assert terminal_trials.sentence(trials_of(proven)).startswith("proven: learning rate x 8 reaches the same loss")


def test_what_the_program_prints_is_told_where_it_is_clearly_another(proven):
    metrics = {"accuracy": Interval(0.88, 0.87, 0.89, 3), "loss": Interval(-0.1, -0.3, 0.1, 3)}
    arm = dataclasses.replace(trials_of(proven).arms[0], metrics=metrics)
    assert printed(arm) == "accuracy 0.88 higher"
    assert printed(trials_of(proven).arms[0]) == ""


def test_where_nothing_is_proven_it_is_said(nothing):
    assert trials_of(nothing).proven == []
    assert "NOTHING PROVEN" in shown(nothing)
    assert "Nothing was proven" in html.render(nothing, diagnose(nothing))
    assert with_trials(nothing, diagnose(nothing)) == diagnose(nothing)
    assert "no remedy is proven" in terminal_trials.sentence(trials_of(nothing))


def test_a_torn_table_costs_nobody_the_report(proven, tmp_path):
    run = SLOW.write(tmp_path / "run")
    (run.path / "trials").mkdir()
    (run.path / "trials" / "table.json").write_text('{"schema": 1, "arms"')
    assert trials_of(run) is None
    assert "Step too small" in html.render(run, diagnose(run))


PROGRAM = "\n" * 19 + "opt = torch.optim.SGD(net.parameters(), lr=0.1)\nimport torch\n"


@pytest.fixture
def patchable(tmp_path, monkeypatch):
    """A run with trials whose program is there, in the folder that the reader is in."""
    monkeypatch.chdir(tmp_path)
    run = raced(tmp_path / "run", (0.5, 8.0))
    run.manifest.update(cwd=str(tmp_path), started="2100-01-01T00:00:00+00:00")
    info = run.optimizers[0]
    old = info.groups[0]["lr"]
    (tmp_path / "train.py").write_text(PROGRAM.replace("lr=0.1", f"lr={old}"))
    run.optimizers[0] = dataclasses.replace(info, file="train.py", line=20)
    return run


def test_the_best_arm_is_a_patch_that_every_report_names(patchable, tmp_path):
    write_reports(patchable, diagnose(patchable))
    trials = trials_of(patchable)
    patch = patch_of(patchable, trials)
    assert patch.command == "git apply run/remedy.patch"
    text = patch.path.read_text()
    assert text == f"# learning rate x 8\n{trials.arms[0].diff}"
    console = Console(file=io.StringIO(), width=30)
    terminal_trials.show(trials, diagnose(patchable), console, patch)
    assert "or  git apply run/remedy.patch\n" in console.file.getvalue()
    for kind in ("html", "md"):
        assert "git apply run/remedy.patch" in (patchable.path / f"report.{kind}").read_text()
    assert json.loads((patchable.path / "report.json").read_text())["trials"][0]["diff"] == trials.arms[0].diff
    before = (tmp_path / "train.py").read_text()
    subprocess.run(["git", "apply", str(patch.path)], cwd=tmp_path, check=True)
    assert (tmp_path / "train.py").read_text() != before


def test_a_patch_stays_when_it_is_applied_and_goes_with_its_arm(patchable, tmp_path, monkeypatch):
    write_patch(patchable, trials_of(patchable))
    patchable.manifest["started"] = "2020-01-01T00:00:00+00:00"  # the file is a newer one now
    write_patch(patchable, trials_of(patchable))
    assert patch_of(patchable, trials_of(patchable)) is not None
    monkeypatch.chdir("/")
    command = patch_of(patchable, trials_of(patchable)).command
    assert command == f"git -C {tmp_path} apply {patchable.path / 'remedy.patch'}"
    trials = trials_of(patchable)
    other = dataclasses.replace(trials, arms=(dataclasses.replace(trials.arms[0], label="another"),))
    write_patch(patchable, other)
    assert not (patchable.path / "remedy.patch").exists()


def test_that_the_seed_decides_is_said_in_every_form(tmp_path, proven, monkeypatch):
    assert trials_of(proven).restarts is None
    assert to_json(proven, diagnose(proven))["restarts"] is None
    run = SLOW.write(tmp_path / "run")
    engine = FakeEngine(lambda spec: learns(spec, tau=50.0, floor=1.5 if spec.seed == 3 else 0.2))
    run_race(settings(run.path), [Arm(rate(8.0).remedies, "step-too-small")], engine)
    found = trials_of(run).restarts
    assert (found.good, found.seeds) == (2, 3)
    said = to_json(run, diagnose(run))["restarts"]
    assert (said["good"], said["runs"], said["sentence"]) == (2, 1.5, found.sentence)
    for text in (html.render(run, diagnose(run)), markdown.render(run, diagnose(run)), shown(run)):
        assert "The seed decides: 2 of 3 seeds" in text


def test_a_race_by_a_metric_says_so_everywhere(tmp_path):
    run = SLOW.write(tmp_path / "run")
    metric = Metric("val accuracy", higher=True, whole=1.0, target=0.75, every=20.0)
    options = {"metric": metric, "budget_factor": 30.0}
    run_race(
        settings(run.path, **options),
        [Arm(rate(4.0).remedies, "step-too-small")],
        FakeEngine(lambda spec: prints(spec, formula=learns)),
    )
    trials = trials_of(run)
    assert effect(trials.proven[0]).startswith("reaches val accuracy 0.75 3.")
    assert raced_by(trials) == "by val accuracy, to 0.75"
    report = to_json(run, diagnose(run))["trials"][0]
    assert (report["measure"], report["target"]) == ("val accuracy", pytest.approx(0.75))
    assert "raced by val accuracy, to 0.75" in shown(run)
    assert "Raced by val accuracy, to 0.75." in markdown.render(run, diagnose(run))
    page = html.render(run, diagnose(run))
    assert "raced by val accuracy, to 0.75" in page
    assert "each val accuracy is a running median" in page
    assert 'class="trial-curves"' in page


def test_metrics_beside_the_loss_are_told_with_how_soon_they_are_there(tmp_path):
    run = SLOW.write(tmp_path / "run")
    run_race(settings(run.path, budget_factor=30.0), [rate(4.0)], FakeEngine(lambda spec: prints(spec, formula=learns)))
    best = trials_of(run).proven[0]
    assert effect(best).startswith("reaches the same loss")
    assert beside(best).startswith("val accuracy is at 0.")
    assert "times sooner in steps (95 % interval" in beside(best)
    assert beside(best) in shown(run)
    assert beside(best)[1:] in html.render(run, diagnose(run))
    found = to_json(run, diagnose(run))["trials"][0]["metric_speedups"]["val accuracy"]
    assert list(found) == ["target", "speedup_steps", "speedup_time", "final"]
    assert found["speedup_steps"]["times"] > 2
