from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from unstuck.cli import main


def make(base: Path, name: str, program: str, state: str | None = None, steps: int = 0, **manifest: object) -> None:
    run = base / name
    run.mkdir(parents=True)
    started = f"2026-01-0{name[0]}T00:00:00+00:00"
    (run / "manifest.json").write_text(json.dumps({"schema": 1, "started": started, "program": program, **manifest}))
    if state:
        (run / "report.json").write_text(json.dumps({"verdict": {"state": state}}))
    if steps:
        (run / "rank0.jsonl").write_text(json.dumps({"kind": "pulse", "optimizer": 0, "step": [steps - 1]}) + "\n")


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "unstuck-runs"
    here = socket.gethostname()
    ended = {"finished": "2026-01-09T00:00:00+00:00"}
    make(base, "1-done", "train", "stuck", 1234, exit_code=0, signal=None, **ended)
    make(base, "2-killed-program", "train", "slow", 5, exit_code=137, signal="SIGKILL", **ended)
    make(base, "3-no-training", "[red]ls", exit_code=3, signal=None, **ended)
    make(base, "4-running", "train", steps=7, watcher={"pid": os.getpid(), "host": here})
    make(base, "5-killed-launcher", "train", watcher={"pid": 2**22 + 1, "host": here})
    (base / "6-torn").mkdir()
    (base / "6-torn" / "manifest.json").write_text('{"sch')
    return base


def test_json_tells_all_newest_first(base, capsys):
    assert main(["list", "--json"]) == 0
    rows = {row["run"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows)[:5] == ["5-killed-launcher", "4-running", "3-no-training", "2-killed-program", "1-done"]
    assert rows["1-done"] == {
        "run": "1-done",
        "program": "train",
        "started": "2026-01-01T00:00:00+00:00",
        "state": "stuck",
        "steps": 1234,
        "exit_code": 0,
        "signal": None,
    }
    states = {name: (row["state"], row["steps"], row["exit_code"], row["signal"]) for name, row in rows.items()}
    assert states["2-killed-program"] == ("slow", 5, 137, "SIGKILL")
    assert states["3-no-training"] == (None, None, 3, None)
    assert states["4-running"] == ("running", 7, None, None)
    assert states["5-killed-launcher"] == ("killed", None, None, None)
    assert "6-torn" in states


def test_the_table_holds_whole_names_and_no_markup(base, capsys):
    assert main(["list", str(base)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (done,) = (line.split() for line in lines if "1-done" in line)
    assert (done[0], done[1], done[-3:]) == ("1-done", "train", ["stuck", "1,234", "0"])
    assert any(line.split()[:2] == ["3-no-training", "[red]ls"] for line in lines if line.split())


def test_an_empty_list_says_what_makes_a_run(tmp_path, capsys):
    assert main(["list", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"unstuck: there are no runs in {tmp_path}; 'unstuck run -- COMMAND' makes one\n"
    assert main(["list", "--json", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize(("passed", "state"), [(True, "check passed"), (False, "check failed")])
def test_a_check_is_listed_as_one(base, capsys, passed, state):
    make(base, "7-checked", "train", check=True, exit_code=0, finished="2026-01-09T00:00:00+00:00")
    (base / "7-checked" / "check.json").write_text(json.dumps({"passed": passed}))
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == state
