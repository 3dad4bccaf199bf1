from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from unstuck.report.as_json import strict, to_json


def _reject(constant):
    raise AssertionError(f"{constant} is not JSON")


def test_form_is_the_public_one(case):
    run, diagnosis = case
    report = json.loads(json.dumps(to_json(run, diagnosis), allow_nan=False), parse_constant=_reject)
    assert list(report) == [
        "schema", "verdict", "findings", "trials", "restarts", "overhead", "not_measured", "run", "errors",
    ]  # fmt: skip
    assert report["schema"] == 1
    assert list(report["verdict"]) == ["state", "sentence"]
    assert list(report["overhead"]) == ["fraction", "seconds"]
    assert report["trials"] == []
    assert [item["difficulty"] for item in report["findings"]] == [f.difficulty for f in diagnosis.findings]
    for item in report["findings"]:
        assert list(item) == [
            "difficulty", "role", "explains", "confidence", "where", "cost", "step", "evidence", "sentence", "remedies",
        ]  # fmt: skip
        assert list(item["where"]) == ["layer", "parameter", "file", "line"]
        assert item["cost"] is None or list(item["cost"]) == ["times_slower", "low", "high", "measured_by"]
    for item in report["not_measured"]:
        assert list(item) == ["what", "why"]
    assert list(report["run"]) == [
        "name", "program", "command", "started", "steps", "seconds", "end", "device", "hardware", "exit_code",
        "world_size", "versions", "optimizers", "layers", "probes",
    ]  # fmt: skip


def test_values_are_those_of_the_diagnosis(stuck):
    report = to_json(*stuck)
    cause, decay = report["findings"][:2]
    assert cause["cost"] == {"times_slower": 6.3, "low": 5.1, "high": 7.4, "measured_by": "estimate"}
    assert cause["where"] == {"layer": None, "parameter": None, "file": "train.py", "line": 31}
    assert decay["cost"]["times_slower"] == "Infinity"
    assert report["run"]["steps"] == 500
    assert report["run"]["command"] == "python train.py --epochs 3"


def test_strict_leaves_only_json():
    value = {
        1: np.float32(0.5),
        "a": (math.nan, -math.inf),
        "b": np.arange(2),
        "c": Path("x"),
        "d": True,
        "e": np.bool_(0),
    }
    expected = {"1": 0.5, "a": ["NaN", "-Infinity"], "b": [0, 1], "c": "x", "d": True, "e": False}
    assert strict(value) == expected
    assert strict(value)["d"] is True
