"""Trials on a Ray cluster; where Ray is not installed, the one thing that is tested is that this is said."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import unstuck
from tests.trials.engines.programs import environment
from unstuck.errors import UsageError
from unstuck.trials.engines import ray as engine

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")

#: Ray keeps threads and sockets until the end of its process, so that it gets one of its own.
DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.trials.engines.programs import hanging, trial
from unstuck.trials.engines.ray import RayEngine

if __name__ == "__main__":
    folder, ways = Path(sys.argv[2]), ("train", "crash", "hang")
    engine = RayEngine(slots=2)
    print("slots", engine.slots)
    running = engine.run([trial(folder, way, way, steps=20) for way in ways])
    for one, result in running:
        print(one.folder.name, result.status, result.steps)
        if not (set(ways) - {"hang"}) - {path.parent.name for path in folder.glob("trials/*/result.json")}:
            break
    hanging(folder)
    running.close()
    engine.close()
"""


def test_a_missing_ray_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(engine, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'unstuck\[ray\]'"):
        engine.RayEngine()


@needs_ray
@pytest.mark.slow
def test_trials_run_on_a_cluster_and_end_with_it(tmp_path: Path):
    from tests.trials.engines.programs import gone, hanging

    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(Path(unstuck.__file__).parents[1]), str(root), os.environ.get("PYTHONPATH", "")])
    variables = {**environment(tmp_path), "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(root), str(tmp_path)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "slots 2"
    assert sorted(lines[1:]) == ["crash crashed 5", "train done 20"]
    assert not (tmp_path / "trials" / "hang" / "result.json").exists()
    assert gone(hanging(tmp_path))
