"""The end of a run: what is said, which exit code follows, and that an error of ours harms nothing."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from unstuck.cli import conclusion, main
from unstuck.cli.conclusion import fails
from unstuck.difficulties.finding import STATES, Diagnosis, Overhead, Verdict

STEP = {"kind": "pulse", "optimizer": 0, "step": [0]}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A working folder, a stand-in for a training (it writes one step), and a stand-in for the diagnosis."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("UNSTUCK_")]:
        monkeypatch.delenv(name)
    script = f"echo '{json.dumps(STEP)}' > \"$UNSTUCK_RUN_DIR/rank0.jsonl\"; exit ${{1:-0}}"
    world = SimpleNamespace(folder=tmp_path, command=["sh", "-c", script, "sh"], shown=[])

    def verdict(state: str) -> None:
        diagnosis = Diagnosis(Verdict(state, "Because."), (), (), Overhead(0.0, 0.0))
        monkeypatch.setattr(conclusion, "judge", lambda folder: (folder, diagnosis))

    world.verdict = verdict
    monkeypatch.setattr(conclusion, "show", lambda run, diagnosis, console: world.shown.append(console))
    world.run = lambda *flags, code="0": main(["run", *flags, "--", *world.command, code])
    world.run_dir = lambda: next(tmp_path.glob("unstuck-runs/*/manifest.json")).parent
    return world


def test_the_report_is_shown_on_standard_error(trained, capsys):
    trained.verdict("stuck")
    assert trained.run() == 0
    (console,) = trained.shown
    assert console.stderr
    assert capsys.readouterr().out == ""


def test_quiet_is_one_line(trained, capsys):
    trained.verdict("stuck")
    assert trained.run("--quiet") == 0
    assert trained.shown == []
    place = trained.run_dir().relative_to(trained.folder) / "report.html"
    assert capsys.readouterr().err == f"unstuck: stuck: Because. ({place})\n"


@pytest.mark.parametrize(
    ("state", "fail_on", "code", "expected"),
    [
        ("stuck", "stuck", "0", 3),
        ("diverged", "stuck", "0", 3),
        ("slow", "stuck", "0", 0),
        ("stuck", "stuck", "5", 5),
        ("unknown", "slow", "0", 0),
        ("unknown", "unknown", "0", 3),
        ("healthy", "unknown", "0", 0),
    ],
)
def test_fail_on(trained, state, fail_on, code, expected):
    trained.verdict(state)
    assert trained.run("--fail-on", fail_on, code=code) == expected


def test_fails_follows_the_order_of_states():
    for fail_on in STATES[2:]:
        assert [state for state in STATES if fails(state, fail_on)] == list(STATES[STATES.index(fail_on) :])
    assert not any(fails(state, None) for state in STATES)


def test_a_run_without_training_is_unknown(trained, capsys):
    assert main(["run", "--fail-on", "slow", "--", "true"]) == 0
    assert main(["run", "--fail-on", "unknown", "--", "true"]) == 3
    assert capsys.readouterr().err.count("no training was seen") == 2


def test_an_error_in_the_diagnosis_is_kept_and_said_in_one_line(trained, capsys, monkeypatch):
    def judge(folder):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(conclusion, "judge", judge)
    assert trained.run(code="5") == 5
    err = capsys.readouterr().err
    assert err.startswith("unstuck: the report could not be made (ZeroDivisionError: a); the record is kept")
    assert err.count("\n") == 1
    assert "in judge" in (trained.run_dir() / "report-error.txt").read_text()
    assert (trained.run_dir() / "rank0.jsonl").exists()


def test_control_c_during_the_report_ends_the_report_only(trained, capsys, monkeypatch):
    def judge(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(conclusion, "judge", judge)
    assert trained.run(code="5") == 5
    assert f"'unstuck report {trained.run_dir().name}' makes it" in capsys.readouterr().err


def test_a_process_that_could_not_be_watched_is_mentioned(trained, capsys):
    trained.verdict("healthy")
    trained.command[2] = 'echo oh > "$UNSTUCK_RUN_DIR/attach-error-1.txt"; ' + trained.command[2]
    assert trained.run() == 0
    assert "one process of the program was not watched" in capsys.readouterr().err


def test_a_program_that_removes_the_run_folder_ends_as_ever(trained, capsys):
    trained.command[2] = 'rm -r "$UNSTUCK_RUN_DIR"; exit 4'
    assert trained.run() == 4
    err = capsys.readouterr().err
    assert "cannot write the end of the run" in err
    assert "Traceback" not in err
