"""The backward signal grows with depth, or through time."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, Record, breaks, layer, learns, stays
from unstuck.difficulties.exploding_gradient import find
from unstuck.difficulties.finding import Finding

FAULT = FAULTY["exploding-gradient"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_first_layer_with_its_factors():
    finding = one(FAULT)
    assert finding.where.layer == "fc1"
    assert finding.where.line == FIRST_LAYER
    assert "7 800 times as large" in finding.sentence
    assert "multiplies it by about 6" in finding.sentence


def test_not_where_the_run_learned():
    assert found(FAULT.but(loss=learns())) is None
    assert found(FAULT.but(loss=breaks())) is not None


def test_a_hundredfold_is_the_line():
    numbers = {f"fc{i + 1}": {"weight_factor": 2.4, "delta": 0.1 * 2.4 ** (5 - i)} for i in range(6)}
    assert found(FAULT.but(measured={"layers": numbers})) is None


def recurrent(gradient: float, calls: int = 1, kind: str = "recurrent") -> Record:
    layers = [layer("rnn", 32, 32, kind=kind, calls=calls, line=14), layer("head", 10, 32, activation=None)]
    return Record(loss=stays(), layers=layers).but(measured={"layers": {"rnn": {"grad": gradient}}})


def test_through_time():
    finding = one(recurrent(400.0))
    assert str(finding.where) == "train.py:14 (rnn)"
    assert "through time" in finding.sentence
    assert found(recurrent(10.0)) is None


def test_a_recurrence_written_by_hand():
    assert found(recurrent(400.0, calls=20, kind="linear")) is not None
    assert found(recurrent(400.0, calls=1, kind="linear")) is None
