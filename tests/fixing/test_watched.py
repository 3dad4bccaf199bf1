"""The first run: what it prints is passed on and kept, and how it ended is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.runner import environment, start
from unstuck.fixing.watched import run_watched
from unstuck.settings import Settings


@pytest.fixture(autouse=True)
def no_outer_run(monkeypatch):
    monkeypatch.delenv("UNSTUCK_RUN_DIR", raising=False)


def watched(folder, source, quiet=False) -> int:
    return run_watched([sys.executable, "-u", "-c", source], "train", Settings(folder), quiet=quiet)


def test_output_is_passed_on_and_kept(tmp_path, capsys):
    assert watched(tmp_path, "import sys; print('größer'); print('wrong', file=sys.stderr)") == 0
    assert capsys.readouterr() == ("größer\nwrong\n", "")
    assert (tmp_path / "output.txt").read_text(encoding="utf-8") == "größer\nwrong\n"
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["program"], manifest["exit_code"], manifest["signal"]) == ("train", 0, None)


def test_quiet_keeps_it_only(tmp_path, capsys):
    assert watched(tmp_path, "print('here'); raise SystemExit(4)", quiet=True) == 4
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "output.txt").read_text() == "here\n"
    assert json.loads((tmp_path / "manifest.json").read_text())["exit_code"] == 4


def test_a_signal_is_told(tmp_path):
    assert watched(tmp_path, "import os; os.kill(os.getpid(), 9)") == -9
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["exit_code"], manifest["signal"]) == (137, "SIGKILL")


def test_what_it_leaves_behind_holds_nothing_up_and_is_ended(tmp_path):
    source = "import subprocess; print(subprocess.Popen(['sleep', '300']).pid)"
    began = time.monotonic()
    assert watched(tmp_path, source, quiet=True) == 0
    assert time.monotonic() - began < 60
    left = int((tmp_path / "output.txt").read_text())
    for _ in range(100):
        try:
            os.kill(left, 0)
        except ProcessLookupError:
            return
        status = Path(f"/proc/{left}/stat")
        if status.exists() and status.read_text().split()[2] == "Z":  # nobody waits for it here
            return
        time.sleep(0.1)
    pytest.fail(f"{left} is still alive")


def test_ctrl_c_ends_it(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "driver.py").write_text(
        "import sys\nfrom pathlib import Path\nfrom unstuck.fixing.watched import run_watched\n"
        "from unstuck.settings import Settings\n"
        "source = 'import os, time; print(os.getpid()); time.sleep(300)'\n"
        "run_watched([sys.executable, '-u', '-c', source], 'train', Settings(Path('run').absolute()), quiet=False)\n"
    )
    command = [sys.executable, "driver.py"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(command, tmp_path, environment(), text=True, **pipes) as driver:
        program = int(driver.stdout.readline())
        driver.send_signal(2)
        assert "KeyboardInterrupt" in driver.communicate(timeout=60)[1]
    with pytest.raises(ProcessLookupError):
        os.kill(program, 0)
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["signal"] == "SIGINT"
