"""From findings to a diagnosis: causes and symptoms, the verdict, and what was not measured."""

from __future__ import annotations

from typing import Any

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, breaks, falls, learns, stays
from unstuck.difficulties import DIFFICULTIES, diagnosis
from unstuck.difficulties.catalogue import Difficulty
from unstuck.difficulties.diagnosis import diagnose
from unstuck.difficulties.finding import Cost, Diagnosis, Finding, Role

INF = float("inf")


def made(name: str, role: Role = "cause", confidence: float = 0.8, times: float | None = None, **more: Any) -> Finding:
    cost = None if times is None else Cost(times, 1.0, INF)
    return Finding(name, role, confidence, f"The {name}.", cost=cost, remedies=("another",), **more)


def judged(
    monkeypatch: pytest.MonkeyPatch,
    catalogue: dict[str, tuple[str, ...]],
    record: Record | None = None,
    **findings: Finding,
) -> Diagnosis:
    """Diagnose with a catalogue of our own: names with what they explain; each finds what it is told."""
    table = tuple(
        Difficulty(name, "step", lambda _, name=name: findings.get(name, made(name)), explained)  # type: ignore[misc]
        for name, explained in catalogue.items()
    )
    monkeypatch.setattr(diagnosis, "DIFFICULTIES", table)
    return diagnose((record or Record(loss=stays())).run())


def roles(diagnosed: Diagnosis) -> dict[str, Role]:
    return {finding.difficulty: finding.role for finding in diagnosed.findings}


def test_what_a_cause_explains_is_its_symptom(monkeypatch: pytest.MonkeyPatch):
    result = judged(monkeypatch, {"a": ("b", "c", "not found"), "b": (), "c": (), "d": ()})
    assert roles(result) == {"a": "cause", "d": "cause", "b": "symptom", "c": "symptom"}
    assert result.findings[0].explains == ("b", "c")


def test_of_two_that_explain_each_other_the_earlier_is_the_cause(monkeypatch: pytest.MonkeyPatch):
    result = judged(monkeypatch, {"a": ("b",), "b": ("a",)})
    assert roles(result) == {"a": "cause", "b": "symptom"}


def test_a_later_cause_explains_an_earlier_one_that_does_not_explain_it(monkeypatch: pytest.MonkeyPatch):
    result = judged(monkeypatch, {"a": (), "b": ()}, b=made("b", explains=("a",)))
    assert roles(result) == {"b": "cause", "a": "symptom"}


def test_what_explains_a_symptom_too_is_no_symptom_of_it(monkeypatch: pytest.MonkeyPatch):
    # a explains b; b would explain c. b is a symptom, so c stays a cause of its own.
    result = judged(monkeypatch, {"a": ("b",), "b": ("c",), "c": ()})
    assert roles(result) == {"a": "cause", "b": "symptom", "c": "cause"}


def test_a_finding_may_know_better_what_it_explains(monkeypatch: pytest.MonkeyPatch):
    result = judged(monkeypatch, {"a": (), "b": ()}, a=made("a", explains=("b",)))
    assert roles(result) == {"a": "cause", "b": "symptom"}


def test_notes_are_neither(monkeypatch: pytest.MonkeyPatch):
    result = judged(monkeypatch, {"a": ("n",), "n": ()}, n=made("n", "note"))
    assert roles(result) == {"a": "cause", "n": "note"}


def test_causes_come_first_then_symptoms_then_notes_each_by_weight(monkeypatch: pytest.MonkeyPatch):
    result = judged(
        monkeypatch,
        {"n": (), "symptom": (), "cheap": ("symptom",), "dear": (), "sure": ()},
        n=made("n", "note", 0.99),
        cheap=made("cheap", times=1.0),
        dear=made("dear", times=1000.0),
        sure=made("sure", confidence=0.95),
        symptom=made("symptom", confidence=0.5),
    )
    assert [f.difficulty for f in result.findings[:3]] == ["sure", "dear", "cheap"]
    assert [f.difficulty for f in result.findings[-1:]] == ["n"]


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (Record(loss=learns()), "converged"),
        (Record(loss=falls(2.3, 0.3)), "healthy"),
        (Record(loss=stays()), "stuck"),
        (Record(loss=breaks()), "diverged"),
        (Record(loss=falls(2.3, 30.0)[:200] + stays(30.0, 200)), "diverged"),
        (Record(loss=[2.3, 2.2, 2.1]), "unknown"),
        (Record(loss=[2.3] * 7), "unknown"),
        (Record(loss=[2.3] * 8), "stuck"),
        (Record(loss=[], probed=(), layers=[]), "unknown"),
        (Record(loss=[None] * 50), "unknown"),
        (FAULTY["gradients-not-zeroed"], "wrong"),
        (FAULTY["parameters-not-trained"], "wrong"),
        (FAULTY["step-too-small"], "stuck"),
        (FAULTY["step-too-small"].but(loss=falls(2.3, 1.6)), "slow"),
    ],
)
def test_the_state(record: Record, state: str):
    assert diagnose(record.run()).verdict.state == state


def test_the_verdict_names_the_cause_and_the_constant():
    sentence = diagnose(FAULTY["step-too-small"].run()).verdict.sentence
    assert "stuck" in sentence
    assert "loss 2.3 after 400 steps" in sentence
    assert "the best constant prediction (2.3)" in sentence
    assert "the cause is step-too-small" in sentence


def test_a_stuck_run_without_a_cause_says_so():
    assert "No cause was found" in diagnose(Record(loss=stays()).run()).verdict.sentence


def test_the_loss_of_one_of_two_opponents_need_not_fall():
    record = Record(loss=stays()).but(measured={"parameters": {"others": 4}})
    verdict = diagnose(record.run()).verdict
    assert verdict.state == "healthy"
    assert "against each other" in verdict.sentence


def test_the_overhead_is_the_records():
    overhead = diagnose(Record(overhead={"seconds": 1.3, "fraction": 0.021}).run()).overhead
    assert (overhead.seconds, overhead.fraction) == (1.3, 0.021)


def missing(record: Record) -> dict[str, str]:
    return {entry.what: entry.why for entry in diagnose(record.run()).not_measured}


def test_nothing_is_missing_where_all_was_measured():
    assert missing(Record()) == {}  # decay that is not there is not missing


def test_a_measurement_that_no_probe_holds_is_missing_with_its_commonest_reason():
    record = Record(failed={"sharpness": "no stability limit is known for Adagrad"})
    assert missing(record.but(measured={"sharpness": None})) == {"sharpness": "no stability limit is known for Adagrad"}
    assert missing(record) == {}


def test_reasons_that_differ_in_seconds_are_one():
    record = Record(failed={"curvature": "it would take about 3.2 s, more than the time budget has left"})
    assert missing(record.but(measured={"curvature": None})) == {
        "the most negative curvature": "it would take more than the time budget has left"
    }


def test_steps_that_could_not_be_replayed_are_counted():
    record = Record(replay={"ok": False, "why": "the gradient differs"})
    assert missing(record) == {"the replay of 12 of 12 probe steps": "the gradient differs"}


def test_errors_of_unstuck_are_told():
    error = {"where": "curvature", "step": 3, "error": "RuntimeError: no", "traceback": "..."}
    assert "failed at step 3: RuntimeError: no" in missing(Record(errors=[error]))["curvature"]


def test_why_there_are_no_probes():
    (why,) = missing(Record(probed=(), manifest={"probes": False})).values()
    assert "switched off" in why
    (why,) = missing(Record(probed=())).values()
    assert "budget" in why


@pytest.mark.parametrize("name", [difficulty.name for difficulty in DIFFICULTIES])
def test_a_judgement_that_fails_is_told_and_the_rest_goes_on(name: str, monkeypatch: pytest.MonkeyPatch):
    run = FAULTY[name].run()
    before = diagnose(run)
    assert name in {finding.difficulty for finding in before.findings}
    monkeypatch.setenv("UNSTUCK_FAULT", name)
    after = diagnose(run)
    assert [entry.what for entry in after.not_measured if "injected fault" in entry.why] == [name]
    found = {finding.difficulty for finding in after.findings}
    assert found == {finding.difficulty for finding in before.findings} - {name}


@pytest.mark.parametrize("name", FAULTY)
def test_the_same_record_gives_the_same_diagnosis(name: str):
    first, second = (diagnose(FAULTY[name].run()) for _ in range(2))
    assert repr(first) == repr(second)
    assert "np." not in repr(first)
