"""Real processes: every end is a result, nothing is left behind, and a race of a real program is run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import unstuck
from tests.trials.engines.programs import environment, gone, hanging, phases, trial
from unstuck.errors import UsageError
from unstuck.record import read_run
from unstuck.remedies.learning_rate import LearningRate
from unstuck.trials.curve import read_curve
from unstuck.trials.engines import local
from unstuck.trials.engines.local import LocalEngine
from unstuck.trials.engines.process import Stopped, run_trial, shared_environment
from unstuck.trials.spec import read_result, write_spec


@pytest.fixture(autouse=True)
def _no_run_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("UNSTUCK_")]:
        monkeypatch.delenv(name)


def test_a_trial_ends_after_its_steps_and_is_recorded(tmp_path: Path):
    one = trial(tmp_path, steps=20)
    result = run_trial(one, environment(tmp_path))
    assert (result.status, result.steps) == ("done", 20)
    assert read_result(one.folder) == result
    assert len(read_curve(one.folder)) == 20
    assert read_run(one.folder).manifest["exit_code"] == 0
    assert "the end" not in (one.folder / "output.txt").read_text()


def test_what_is_printed_after_the_last_step_of_a_trial_is_seen(tmp_path: Path):
    one = trial(tmp_path, steps=20)
    assert run_trial(one, environment(tmp_path)).steps == 20
    steps, losses = read_curve(one.folder).metrics["val loss"]
    assert steps.tolist() == [10, 20]
    assert losses[1] < losses[0]


def test_a_trial_can_be_about_a_later_phase_and_leaves_the_others_alone(tmp_path: Path):
    faster = LearningRate(3.0).to_json()
    of = {"optimizer": 1, "apart": (0, 2), "steps": 12}
    trials = [phases(tmp_path, "plain", **of), phases(tmp_path, "faster", remedies=(faster,), **of)]
    results = [run_trial(one, environment(tmp_path)) for one in trials]
    assert [(r.status, r.steps) for r in results] == [("done", 12)] * 2
    plain, treated = (read_curve(one.folder) for one in trials)
    assert len(plain) == len(treated) == 12
    assert treated.loss[-1] < plain.loss[-1]
    words = [(one.folder / "output.txt").read_text() for one in trials]
    assert words[0] == words[1], "the teacher is the same"
    assert read_run(trials[1].folder).pulse[0].lr.tolist() == [0.05] * 10


def test_a_trial_about_an_early_phase_ends_where_the_next_one_would_begin(tmp_path: Path):
    one = phases(tmp_path, optimizer=0, apart=(1, 2), steps=10)
    assert run_trial(one, environment(tmp_path)).status == "done"
    assert list(read_run(one.folder).pulse) == [0]


def test_what_an_earlier_attempt_has_left_is_removed(tmp_path: Path):
    one = trial(tmp_path, "early", steps=20)
    write_spec(one)
    (one.folder / "rank0.jsonl").write_text('{"kind":"pulse"}\n')
    result = run_trial(one, environment(tmp_path))
    assert (result.status, result.reason) == ("crashed", "no data here")
    assert not (one.folder / "rank0.jsonl").exists()


@pytest.mark.slow
def test_programs_that_fail_are_results(tmp_path: Path):
    trials = {way: trial(tmp_path, way, way) for way in ("train", "crash", "memory", "killed", "nan", "leave")}
    found = {}
    for one, result in LocalEngine(2).run(list(trials.values())):
        found[one.folder.name] = result
        assert read_result(one.folder) == result
    assert {way: result.status for way, result in found.items()} == {
        "train": "done",
        "crash": "crashed",
        "memory": "out-of-memory",
        "killed": "out-of-memory",
        "nan": "not-finite",
        "leave": "done",
    }
    assert found["crash"].reason == "ValueError: shapes do not fit"
    assert found["crash"].steps == 5
    assert "the end" in (trials["train"].folder / "output.txt").read_text()


@pytest.mark.slow
def test_programs_that_die_of_a_signal_or_find_no_memory_are_results(tmp_path: Path):
    trials = [trial(tmp_path, way, way) for way in ("segfault", "abort", "allocate")]
    found = {one.folder.name: result for one, result in LocalEngine(2).run(trials)}
    assert {way: result.status for way, result in found.items()} == {
        "segfault": "crashed",
        "abort": "crashed",
        "allocate": "out-of-memory",
    }
    assert all(1 <= result.steps <= 5 for result in found.values())  # the last ones were not written yet
    assert found["segfault"].reason.startswith("SIGSEGV")
    assert found["abort"].reason.startswith("SIGABRT")
    assert "can't allocate memory" in found["allocate"].reason


@pytest.mark.slow
def test_a_remedy_that_makes_the_program_raise_is_a_result(tmp_path: Path):
    larger = ({"kind": "learning-rate", "factor": 100.0},)
    plain, treated = trial(tmp_path, "strict", "plain"), trial(tmp_path, "strict", "treated", remedies=larger)
    found = {one.folder.name: result for one, result in LocalEngine(2).run([plain, treated])}
    assert found["plain"].status == "done"
    assert found["treated"].status == "crashed"
    assert found["treated"].reason.startswith("FloatingPointError: the loss is ")


def test_a_remedy_that_cannot_be_laid_on_ends_the_trial_with_the_reason(tmp_path: Path):
    result = run_trial(trial(tmp_path, remedies=({"kind": "no-such-remedy"},)), environment(tmp_path))
    assert (result.status, result.steps) == ("crashed", 0)
    assert "unstuck could not attach to it: " in result.reason
    assert "no-such-remedy" in result.reason
    assert "the end" not in (tmp_path / "trials" / "trial" / "output.txt").read_text()


def test_a_command_that_is_not_there_is_a_result(tmp_path: Path):
    one = trial(tmp_path)
    result = run_trial(type(one)(one.folder, one.spec, ("no-such-program",)), environment(tmp_path))
    assert result.status == "crashed"
    assert "no-such-program: No such file" in result.reason


@pytest.mark.parametrize("way", ["hang", "stubborn"])
def test_a_trial_that_hangs_is_ended_with_all_that_it_has_started(tmp_path: Path, way: str):
    result = run_trial(trial(tmp_path, way, seconds=3.0), environment(tmp_path))
    assert result.status == "hung"
    assert gone(hanging(tmp_path), 2.0)


def test_a_trial_that_is_stopped_has_no_result(tmp_path: Path):
    one, stop = trial(tmp_path, "hang"), threading.Event()
    watcher = threading.Thread(target=lambda: (hanging(tmp_path), stop.set()))
    variables = environment(tmp_path)
    watcher.start()
    with pytest.raises(Stopped):
        run_trial(one, variables, stop)
    watcher.join()
    assert read_result(one.folder) is None
    assert gone(hanging(tmp_path), 2.0)


def test_ctrl_c_ends_what_runs_and_keeps_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "environ", environment(tmp_path))
    quick, stuck, waiting = (
        trial(tmp_path, "crash", "quick"),
        trial(tmp_path, "hang", "stuck"),
        trial(tmp_path, name="w"),
    )
    running = LocalEngine(2).run([quick, stuck, waiting, trial(tmp_path, name="v")])
    assert next(running)[0] is quick
    hanging(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        running.throw(KeyboardInterrupt)
    assert read_result(quick.folder) is not None
    assert read_result(stuck.folder) is None
    assert gone(hanging(tmp_path), 2.0)


DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.trials.engines.programs import trial
from unstuck.trials.engines.local import LocalEngine

folder = Path(sys.argv[2])
list(LocalEngine(2).run([trial(folder, "hang", str(number)) for number in range(4)]))
"""


def test_a_driver_that_is_killed_leaves_no_process_behind(tmp_path: Path):
    root = Path(__file__).parents[3]
    package = str(Path(unstuck.__file__).parents[1])
    variables = {**environment(tmp_path), "PYTHONPATH": package, "TMPDIR": str(tmp_path)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(root), str(tmp_path)], env=variables)
    pids = hanging(tmp_path, 2)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert gone(pids)


def test_slots_share_the_cores_unless_the_user_has_shared_them_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("unstuck.trials.engines.process.cores", lambda: 8)
    assert shared_environment({}, 4) == {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "0"}
    assert shared_environment({}, 1) == {"PYTHONHASHSEED": "0"}
    chosen = {"OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "7"}
    assert shared_environment(chosen, 4) == chosen


def test_every_gpu_is_a_slot(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5,7")
    assert LocalEngine().slots == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setattr(local, "cores", lambda: 64)
    assert LocalEngine().slots == 8
    with pytest.raises(UsageError, match="1 or more; got 0"):
        LocalEngine(0)


def test_each_trial_gets_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    seen: list[str] = []

    def note(one: object, variables: dict[str, str], stop: threading.Event) -> int:
        seen.append(variables["CUDA_VISIBLE_DEVICES"])
        time.sleep(0.2)
        return 0

    monkeypatch.setattr(local, "run_trial", note)
    assert len(list(LocalEngine().run([trial(tmp_path, name=str(n)) for n in range(2)]))) == 2
    assert sorted(seen) == ["2", "5"]
