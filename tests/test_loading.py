"""``unstuck.load`` and what is public: plain Python and data frames of a recorded run."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import unstuck
from tests.report import fakes
from unstuck import difficulties


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two made-up runs below ``unstuck-runs`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    probe = {
        "replay": {"ok": True},
        "failed": {"curvature": "no time"},
        "m": {
            "loss": 0.5,
            "sharpness": {"largest": 3.0, "limit": 20.0},
            "layers": {"in": {"delta": 0.1, "delta_units": [0.1, 0.2]}, "out": {"delta": 0.4}},
            "decay": {"out": {"pull": 1.0}},
        },
    }
    for name in ("20260101-000000-train-aaaa", "20260102-000000-train-bbbb"):
        folder = tmp_path / "unstuck-runs" / name
        fakes.write_run(
            folder, layers={"in": 3, "out": 2}, loss=np.linspace(2, 1, 5),
            probes=[{"step": step, **probe} for step in (0, 4)],
        )  # fmt: skip
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, "started": name[:8]}))
    return tmp_path / "unstuck-runs"


@pytest.mark.parametrize("which", ["latest", "bbbb", "20260102", "unstuck-runs/20260102-000000-train-bbbb"])
def test_a_run_is_found_as_on_the_command_line(runs, which):
    loaded = unstuck.load(which)
    assert loaded.run.path.name == "20260102-000000-train-bbbb"
    assert loaded.run.steps == 5
    assert repr(loaded) == "<unstuck run 20260102-000000-train-bbbb: 5 steps, 2 probes>"


def test_a_path_object_is_taken(runs):
    assert unstuck.load(runs / "20260101-000000-train-aaaa").run.steps == 5


def test_what_is_not_there_is_said(runs):
    with pytest.raises(unstuck.UsageError, match=r"no run in .* fits 'cccc'"):
        unstuck.load("cccc")


def test_measurements_are_one_dictionary_per_probe_and_layer(runs):
    rows = unstuck.load().measurements
    assert [(row["step"], row["layer"]) for row in rows] == [
        (0, None), (0, "in"), (0, "out"), (4, None), (4, "in"), (4, "out")
    ]  # fmt: skip
    whole, first, last = rows[:3]
    assert (whole["loss"], whole["sharpness.largest"], whole["replayed"]) == (0.5, 3.0, True)
    assert first["delta_units"] == [0.1, 0.2]
    assert (last["delta"], last["decay.pull"]) == (0.4, 1.0)


def test_frames_hold_the_same(runs):
    pytest.importorskip("pandas")
    loaded = unstuck.load()
    pulse = loaded.pulse_frame()
    assert list(pulse.columns) == ["optimizer", "step", "time", "loss", "lr", "grad_norm", "clipped_norm", "wait"]
    assert pulse["loss"].tolist() == pytest.approx([2, 1.75, 1.5, 1.25, 1])
    assert pulse["step"].dtype == "int64"
    probes = loaded.probe_frame()
    assert probes["step"].tolist() == [0, 4]
    assert probes["sharpness.limit"].tolist() == [20.0, 20.0]
    assert "layer" not in probes.columns
    layers = loaded.layer_frame()
    assert layers["layer"].tolist() == ["in", "out"] * 2
    assert layers.groupby("layer")["delta"].mean().to_dict() == {"in": 0.1, "out": 0.4}


def test_findings_are_the_diagnosis_of_the_record(runs, monkeypatch):
    case = fakes.stuck(runs / "20260103-000000-train-cccc")
    monkeypatch.setattr(difficulties, "diagnose", lambda run: case[1], raising=False)
    loaded = unstuck.load("cccc")
    assert loaded.diagnosis is loaded.diagnosis
    assert loaded.verdict.state == "stuck"
    assert loaded.findings == case[1].findings
    pandas = pytest.importorskip("pandas")
    frame = loaded.findings_frame()
    assert frame["difficulty"].tolist() == [finding.difficulty for finding in case[1].findings]
    where = case[1].findings[0].where
    assert (frame["file"][0], frame["line"][0]) == (where.file, where.line)
    assert isinstance(frame, pandas.DataFrame)


def test_a_run_without_steps_gives_empty_frames(tmp_path):
    pytest.importorskip("pandas")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema": 1}')
    loaded = unstuck.load(folder)
    assert loaded.measurements == []
    assert (len(loaded.pulse_frame()), len(loaded.probe_frame()), len(loaded.layer_frame())) == (0, 0, 0)
    assert "delta" not in loaded.layer_frame().columns


def test_without_pandas_the_error_says_what_to_install(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(unstuck.UsageError, match=r"pip install 'unstuck\[pandas\]'"):
        unstuck.load().pulse_frame()


def test_importing_unstuck_is_light():
    heavy = {"torch", "numpy", "pandas", "jinja2", "rich"}
    code = f"import sys, unstuck, unstuck.cli, unstuck.report; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "name",
    ["watch", "load", "Run", "Finding", "Diagnosis", "Verdict", "UnstuckError", "UsageError", "optim", "__version__"],
)
def test_the_public_names_are_there(name):
    assert getattr(unstuck, name) is not None
    assert name in dir(unstuck)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="module 'unstuck' has no attribute 'fix_everything'"):
        unstuck.fix_everything  # noqa: B018
