"""The note that there is little left to gain."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, breaks, learns, stays
from unstuck.difficulties.converged import find
from unstuck.difficulties.finding import Finding

FAULT = FAULTY["converged"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_a_note_with_the_numbers():
    finding = one(FAULT)
    assert finding.role == "note"
    assert finding.sentence == (
        "The loss settled at 0.05, 98 % below the 2.3 that it came from; the last third of the run hardly lowered it."
    )


def test_not_where_nothing_was_learned():
    assert found(Record(loss=stays())) is None
    assert found(Record(loss=breaks())) is None


def test_a_share_makes_no_sense_for_a_loss_below_zero():
    assert "%" not in one(FAULT.but(loss=[x - 2 for x in learns()], measured={"baseline": None})).sentence
