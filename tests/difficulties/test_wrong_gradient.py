"""Gradients that are not those of the loss: who is named, who is accused, and what is to be written."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from tests.difficulties.records import FIRST_LAYER, Record, learns, stays
from tests.difficulties.test_conformance import check as held
from tests.difficulties.test_conformance import spoiled
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.wrong_gradient import find


def check(*wrong: str, error: float = 0.0, **more: Any) -> dict[str, Any]:
    """Return what a gradient check of three layers finds."""
    layers = {
        name: {"error": error if name in wrong else 1e-9, "kink": False, "ratio": None}
        for name in ("fc1", "fc2", "fc3")
    }
    first = wrong[0] if wrong else "fc1"
    return {"layers": layers, "wrong": list(wrong), "worst": first, "error": error, "functions": [], **more}


def function(**changes: Any) -> dict[str, Any]:
    plain = {"name": "Scaled", "file": "train.py", "line": 7, "error": 0.0099, "argument": "weight", "factor": 1.01}
    rest = {"flat": False, "identity": False, "backward_file": "layers.py", "backward_line": 31}
    return {**plain, **rest, **changes}


def measured(found: dict[str, Any], loss: list[float] | None = None, once: bool = True) -> Record:
    entry = (lambda i: found if i == 1 else None) if once else found
    return Record(loss=stays() if loss is None else loss).but(measured={"gradient_check": entry})


def found(record: Record) -> Finding | None:
    return find(record.case())


def one(record: Record) -> Finding:
    finding = found(record)
    assert finding is not None
    assert finding.difficulty == "wrong-gradient"
    return finding


SCALED = check("fc1", "fc2", error=0.0099, functions=[function()])


def test_right_gradients_are_no_finding():
    assert found(measured(check())) is None
    assert found(Record(loss=stays())) is None


def test_a_function_is_named_with_its_factor_and_its_backward():
    finding = one(measured(SCALED))
    assert finding.role == "cause"
    assert str(finding.where) == "train.py:7"
    assert "Scaled.backward does not return the gradient" in finding.sentence
    assert "with respect to weight, it is 1.01 times the true one" in finding.sentence
    assert "The layers fc1, fc2 go down another function" in finding.sentence
    assert finding.remedies[0] == (
        "return the true gradient with respect to weight from Scaled.backward (layers.py:31): what it returns now, "
        "divided by 1.01"
    )
    assert "torch.autograd.gradcheck(Scaled.apply, inputs)" in finding.remedies[1]


def test_a_run_that_learns_gets_a_note():
    finding = one(measured(SCALED, learns()))
    assert finding.role == "note"
    assert finding.cost is None
    assert finding.confidence == one(measured(SCALED)).confidence  # it is as wrong as before


def test_a_gradient_that_is_zero():
    finding = one(measured(check("fc1", error=1.0, functions=[function(factor=0.0, error=1.0)])))
    assert "it is 0 where the true one is not" in finding.sentence
    assert "not zeros" in finding.remedies[0]
    assert "Layer fc1 goes down" in finding.sentence


def test_without_a_factor_the_error_is_told():
    finding = one(measured(check("fc1", error=0.3, functions=[function(factor=None, error=0.3)])))
    assert "differs from the true one by 30 %" in finding.sentence


def test_a_factor_that_rounds_to_one_is_told_by_its_error():
    finding = one(measured(check("fc1", error=0.001, functions=[function(factor=1.001, error=0.001)])))
    assert "differs from the true one by under 1 %" in finding.sentence
    assert "divided" not in finding.remedies[0]


def test_a_straight_through_estimator_is_never_accused():
    finding = one(measured(check("fc1", error=1.0, functions=[function(flat=True, factor=None, error=1.0)])))
    assert finding.role == "note"
    assert "straight-through" in finding.sentence


def test_a_wrong_function_stands_before_a_straight_through_one():
    both = [function(name="Sign", flat=True, factor=None, error=1.0), function()]
    finding = one(measured(check("fc1", error=1.0, functions=both)))
    assert finding.role == "cause"
    assert "Scaled" in finding.sentence


def test_a_gradient_that_is_turned_on_purpose_is_accused_with_less_confidence():
    turned = one(measured(check("fc1", error=1.3, functions=[function(identity=True, factor=-0.3, error=1.3)])))
    assert turned.role == "cause"
    assert turned.confidence < one(measured(SCALED)).confidence
    assert "-0.3 times the true one" in turned.sentence


def test_without_a_function_the_layer_is_the_place():
    finding = one(measured(check("fc2", error=0.02)))
    assert str(finding.where) == f"train.py:{FIRST_LAYER + 1} (fc2)"
    assert "is not the derivative of the loss" in finding.sentence


@pytest.mark.parametrize(("elsewhere", "role"), [(True, "cause"), (False, "note")])
def test_a_hook_is_named_and_accused_if_the_gradient_leads_elsewhere(elsewhere: bool, role: str):
    hooked = check("fc1", error=0.8, hooks=[{"name": "flip", "file": "train.py", "line": 12}], changed=["fc1"])
    hooked["wrong"] = ["fc1"] if elsewhere else []
    finding = one(measured(hooked, once=False))
    assert finding.role == role
    assert str(finding.where) == "train.py:12 (fc1)"
    assert "in layer fc1 it differs by up to 80 %" in finding.sentence
    assert "The hook flip (train.py:12) changes gradients" in finding.sentence


def test_one_check_in_many_is_no_finding():
    rare = Record(loss=stays()).but(measured={"gradient_check": lambda i: SCALED if i == 3 else check()})
    assert found(rare) is None


@pytest.mark.parametrize("seed", range(20))
def test_spoiled_numbers_are_read(seed: int):
    rng = random.Random(seed)
    hooked = check("fc1", error=0.8, hooks=[{"name": "flip", "file": "train.py", "line": 12}])
    for whole in (SCALED, hooked, check("fc2", error=0.02)):
        measurements = [{"gradient_check": copy.deepcopy(whole)}]
        spoiled(rng, measurements)
        record = Record(loss=stays()).but(changes={**measurements[0]})
        finding = found(record)
        if finding is not None:
            held(finding)
