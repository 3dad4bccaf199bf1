"""The note that the run ended too soon."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, breaks, falls, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.still_improving import find

FAULT = FAULTY["still-improving"]


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
    assert "when the run ended, at 0.5" in finding.sentence
    assert "% of the way down from 2.3" in finding.sentence


def test_not_where_the_loss_lies_still_or_rises():
    assert found(Record(loss=stays())) is None
    assert found(Record(loss=falls(0.5, 2.3))) is None
    assert found(Record(loss=breaks())) is None


def test_noise_is_no_fall():
    assert found(Record(loss=stays(noise=0.3))) is None
