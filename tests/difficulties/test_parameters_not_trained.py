"""Weights in use that no optimizer holds, and held ones that are not in use."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, learns, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.parameters_not_trained import find

FAULT = FAULTY["parameters-not-trained"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_optimizer_with_the_parameter():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER} (fc2.weight)"
    assert "2 of the tensors" in finding.sentence
    assert "26 % of the weights" in finding.sentence
    assert finding.role == "cause"


def test_it_is_a_note_where_the_run_learned():
    finding = one(FAULT.but(loss=learns()))
    assert finding.role == "note"
    assert finding.cost is None


def test_a_small_part_is_a_note():
    assert one(FAULT.but(measured={"parameters": {"outside_elements": 10}})).role == "note"


def test_an_optimizer_of_another_model():
    other = {"parameters": {"reached": 0, "outside": [], "outside_count": 0, "unreached_count": 4}}
    assert "the graph is cut between them" in one(FAULT.but(measured=other)).sentence
    other["parameters"] |= {"outside": ["old.weight"], "outside_count": 1}
    assert "another model than the one in use (old.weight)" in one(FAULT.but(measured=other)).sentence


def test_a_cut_graph():
    cut = {"outside": [], "outside_count": 0, "unreached": ["fc1.weight"], "unreached_count": 1}
    finding = one(FAULT.but(measured={"parameters": {**cut, "unreached_elements": 20_000}}))
    assert "No gradient of the loss reaches 1 of the 4 tensors of the optimizer (fc1.weight)" in finding.sentence
    assert finding.role == "cause"


def test_a_learning_rate_of_zero():
    still = {"outside": [], "outside_count": 0, "unchanged_count": 4}
    assert "The learning rate is 0" in one(FAULT.but(lr=0.0, measured={"parameters": still})).sentence


def test_frozen_parameters_are_frozen_on_purpose():
    frozen = {"outside": [], "outside_count": 0, "frozen": ["fc1.weight"], "frozen_count": 1}
    assert found(FAULT.but(measured={"parameters": frozen})) is None


def frozen_body(start: float) -> Record:
    """Return a stuck run, most of whose weights in use are frozen, with this loss at its first step."""
    audit = {"outside": [], "outside_count": 0, "outside_elements": 0, "frozen_used_elements": 60_000}
    measured = {"parameters": {**audit, "held_elements": 26_122, "loaded": False}}
    return Record(loss=stays(start)).but(measured=measured)


def test_a_frozen_body_that_knows_nothing_is_named():
    assert found(frozen_body(2.3)) is not None


def test_a_frozen_body_that_knows_the_task_was_trained_before():
    assert found(frozen_body(1.2)) is None
    loaded = frozen_body(2.3).but(measured={"parameters": {"loaded": True}})
    assert found(loaded) is None
