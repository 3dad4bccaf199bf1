from __future__ import annotations

from unstuck.difficulties.finding import Diagnosis, Finding, Overhead, Verdict
from unstuck.report.outline import outline


def _diagnosis(*findings):
    return Diagnosis(Verdict("stuck", "It is stuck."), findings, (), Overhead(0, 0))


def _finding(name, role, *explains):
    return Finding(name, role, 1.0, "A sentence.", explains=explains)


def test_symptoms_stand_under_the_first_cause_that_explains_them_also_by_way_of_another():
    found = outline(
        _diagnosis(
            _finding("c", "symptom"),
            _finding("A", "cause", "b"),
            _finding("note", "note"),
            _finding("B", "cause", "b", "d"),
            _finding("b", "symptom", "c"),
            _finding("alone", "symptom"),
            _finding("d", "symptom"),
        )
    )
    tree = [(e.finding.difficulty, [s.finding.difficulty for s in e.symptoms]) for e in found.causes]
    assert tree == [("A", ["c", "b"]), ("B", ["d"])]
    assert [e.finding.difficulty for e in found.symptoms] == ["alone"]
    assert [(e.number, e.finding.difficulty) for e in found] == [
        (1, "A"), (2, "c"), (3, "b"), (4, "B"), (5, "d"), (6, "alone"), (7, "note"),
    ]  # fmt: skip


def test_every_finding_is_shown_once(case):
    _, diagnosis = case
    shown = [entry.finding for entry in outline(diagnosis)]
    assert sorted(map(id, shown)) == sorted(map(id, diagnosis.findings))
