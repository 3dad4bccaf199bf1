"""The checks on made-up records: a sound one passes them all, and each fault fails the check that it belongs to."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.difficulties.records import Record, audit, layer
from unstuck.checks import CHECKS, judge
from unstuck.checks.check import Check
from unstuck.difficulties import diagnose
from unstuck.difficulties.catalogue import DIFFICULTIES
from unstuck.difficulties.finding import Finding

STEPS = tuple(range(9))
HEAD = {
    "kind": "cross_entropy",
    "file": "train.py",
    "line": 33,
    "prediction": {"shape": [64, 10], "min": -0.4, "max": 0.4, "mean": 0.0, "std": 0.1},
    "target": {"shape": [64], "kind": "classes", "distinct": 10, "min": 0, "max": 9, "mean": 4.5, "std": 2.9},
    "broadcast": None,
    "activations": [],
    "outside": 0.0,
    "unreachable": 0.0,
    "normalised": None,
    "single": False,
}
MEASURED = {
    "task": {"heads": [HEAD], "places": 1},
    "gradient_check": {
        "layers": {"fc1": {"error": 2e-9, "kink": False, "ratio": None}},
        "wrong": [],
        "worst": "fc1",
        "error": 2e-9,
        "functions": [],
        "forwards": 6,
    },
    "overfit": {
        "start": 2.3, "end": 0.2, "constant": 2.3, "lowest": 0.0, "steps": 60, "rate": 0.01, "gained": 0.91,
        "fitted": True, "still_falling": False, "known": True, "other_terms": False, "examples": 64, "elements": 26122,
    },
    "leak": {
        "leaks": False, "largest": 0.0, "example": None, "norms": False, "examples": 64, "file": "train.py", "line": 12,
    },
    "modes": {
        "norms": {"training": 2, "evaluating": 0, "fresh": 0}, "dropouts": {"on": 1, "off": 0}, "file": None,
        "line": None,
    },
    "precision": {
        "dtypes": {"float32": 26122}, "autocast": None, "low": False, "lost_updates": 0.0, "zero_gradients": 0.0,
    },
}  # fmt: skip
SOUND = Record(loss=list(np.linspace(2.31, 2.2, 9)), probed=STEPS, changes=MEASURED)


def answers(record: Record, findings: tuple[Finding, ...] | None = None) -> dict[str, Check]:
    run = record.run()
    return {c.name: c for c in judge(run, diagnose(run).findings if findings is None else findings)}


def test_a_sound_record_passes_every_check():
    found = answers(SOUND)
    assert {name: c.status for name, c in found.items()} == {q.name: "pass" for q, _ in CHECKS}
    for check in found.values():
        assert re.fullmatch(r"[A-Z0-9].*\.", check.sentence), check.sentence
        assert "nan" not in check.sentence
        assert "None" not in check.sentence


FAULTS = {
    "initial-loss": {"baseline": {"part": 31.0}},
    "gradient": {
        "gradient_check": {"layers": {"fc1": {"error": 0.01, "kink": False, "ratio": 1.01}}, "wrong": ["fc1"]},
    },
    "parameters": {"parameters": {**audit(), "outside": ["b.weight"], "outside_count": 1, "outside_elements": 9000}},
    "overfit-one-batch": {"overfit": {"end": 2.28, "gained": 0.01, "fitted": False}},
    "leak": {"leak": {"leaks": True, "largest": 0.3, "example": [3, 5]}},
    "inputs": {"inputs": {"rms": 900.0, "feature_rms_max": 4000.0}},
    "targets": {"task": {"heads": [{**HEAD, "target": {**HEAD["target"], "max": float("nan")}}]}},
    "labels": {"baseline": {"counts": [lambda i, k=k: 64 if i % 10 == k else 0 for k in range(10)]}},
    "modes": {"modes": {"norms": {"training": 0, "evaluating": 2, "fresh": 2}}},
    "precision": {"precision": {"dtypes": {"bfloat16": 26122}, "low": True, "lost_updates": 0.9}},
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_fails_its_check_and_says_where(name):
    found = answers(SOUND.but(measured=FAULTS[name]), findings=())
    assert {check for check, answer in found.items() if answer.status == "fail"} == {name}
    assert found[name].where is not None
    assert found[name].where.file == "train.py" or name == "modes"


NOT_FAULTS = {
    "a first loss a bit above": {"baseline": {"part": 3.4}},
    "a kink": {"gradient_check": {"layers": {"fc1": {"error": 0.2, "kink": True, "ratio": None}}}},
    "a straight-through gradient": {
        "gradient_check": {
            "layers": {"fc1": {"error": 1.0, "kink": False, "ratio": None}},
            "wrong": ["fc1"],
            "functions": [{"name": "Sign", "file": "train.py", "line": 9, "error": 1.0, "flat": True}],
        }
    },
    "a scale that is not used": {
        "parameters": {**audit(), "unreached": ["scale"], "unreached_count": 1, "unreached_elements": 1}
    },
    "few weights": {"overfit": {"end": 1.8, "gained": 0.2, "fitted": False, "elements": 40}},
    "a penalty in the loss": {"overfit": {"end": 1.8, "gained": 0.2, "fitted": False, "other_terms": True}},
    "inputs from 0 to 255 over some features": {"inputs": {"rms": 40.0, "feature_rms_max": 120.0}},
    "small batches without every class": {
        "baseline": {"counts": [lambda i, k=k: int((3 * i + k) % 10 < 4) for k in range(10)]}
    },
    "frozen batch normalisation": {"modes": {"norms": {"training": 0, "evaluating": 2, "fresh": 0}}},
}


@pytest.mark.parametrize("name", NOT_FAULTS)
def test_what_is_no_fault_does_not_fail(name):
    found = answers(SOUND.but(measured=NOT_FAULTS[name]), findings=())
    assert {check for check, answer in found.items() if answer.status != "pass"} == set()


def test_unbalanced_and_uncentred_targets_make_a_large_first_loss_that_is_no_fault():
    rare = {"kind": "binary_cross_entropy_with_logits", "target": {**HEAD["target"], "mean": 0.005, "std": 0.07}}
    base = {"loss_kind": rare["kind"], "constant": 0.0315, "part": 0.69, "counts": None}
    task = {"heads": [{**HEAD, **rare}]}
    assert answers(SOUND.but(measured={"baseline": base, "task": task}))["initial-loss"].status == "pass"
    far = {"kind": "mse_loss", "target": {**HEAD["target"], "mean": 3000.0, "std": 100.0}}
    base = {"loss_kind": "mse_loss", "constant": 1e4, "part": 9.01e6, "counts": None}
    task = {"heads": [{**HEAD, **far}]}
    assert answers(SOUND.but(measured={"baseline": base, "task": task}))["initial-loss"].status == "pass"
    base = {**base, "part": 9e9}
    assert answers(SOUND.but(measured={"baseline": base, "task": task}))["initial-loss"].status == "fail"


def test_time_that_ran_out_is_no_failure():
    overfit = {"end": 2.2, "gained": 0.04, "fitted": False, "still_falling": True}
    check = answers(SOUND.but(measured={"overfit": overfit}))["overfit-one-batch"]
    assert (check.status, "time was up" in check.sentence) == ("not measured", True)


def test_what_was_not_measured_says_why():
    record = SOUND.but(
        changes=dict.fromkeys((*MEASURED, "baseline", "inputs", "parameters")),
        failed={"leak": "the batch has one example"},
    )
    found = answers(record, findings=())
    assert {c.status for c in found.values()} == {"not measured"}
    assert found["leak"].sentence == "Not measured: the batch has one example."


def test_a_step_that_cannot_be_replayed_is_not_measured():
    record = SOUND.but(changes=dict.fromkeys(MEASURED), replay={"ok": False, "why": "it is scripted"})
    assert "it is scripted" in answers(record, findings=())["leak"].sentence


def test_gradients_from_elsewhere_are_not_judged():
    record = SOUND.but(measured={"parameters": {**audit(), "reached": 0, "backwards": 0}})
    assert answers(record, findings=())["parameters"].status == "not measured"


def test_no_step_at_all_is_not_measured():
    found = answers(Record(loss=[], probed=()), findings=())
    assert {c.status for c in found.values()} == {"not measured"}


def test_a_normalisation_before_the_first_layer_forgives_large_inputs():
    layers = [layer("norm", 64, kind="norm"), layer("fc1", 10, 64)]
    record = SOUND.but(layers=layers, measured={"inputs": {"rms": 900.0, "feature_rms_max": 4000.0}})
    assert answers(record, findings=())["inputs"].status == "pass"


def test_a_difficulty_that_is_sure_fails_the_check_that_covers_it():
    for question, _ in CHECKS:
        for name in question.covers:
            finding = Finding(name, "cause", 0.95, "Something is wrong.", remedies=("write it otherwise",))
            found = answers(SOUND, (finding,))
            assert found[question.name].status == "fail"
            assert found[question.name].sentence == "Something is wrong. To do: write it otherwise."
            doubtful = Finding(name, "cause", 0.7, "Something may be wrong.")
            assert answers(SOUND, (doubtful,))[question.name].status == "pass"


def test_every_difficulty_of_the_program_belongs_to_one_check():
    covered = [name for question, _ in CHECKS for name in question.covers]
    assert len(covered) == len(set(covered))
    assert {d.name for d in DIFFICULTIES if d.group == "program"} - set(covered) == set()


def test_a_fault_of_ours_is_no_failure_of_the_program(monkeypatch):
    def broken(case, findings):
        raise RuntimeError("boom")

    monkeypatch.setattr("unstuck.checks.CHECKS", ((CHECKS[0][0], broken),))
    (check,) = judge(SOUND.run(), ())
    assert (check.status, "boom" in check.sentence) == ("not measured", True)
