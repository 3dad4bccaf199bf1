"""First weights that make all units alike, or are far from 1/sqrt(fan-in)."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, Record, layer, learns, stack, stays
from unstuck.difficulties.bad_initialisation import find
from unstuck.difficulties.finding import Finding

FAULT = FAULTY["bad-initialisation"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_weights_that_are_all_zero():
    finding = one(FAULT)
    assert finding.where.layer == "fc1"
    assert finding.where.line == FIRST_LAYER
    assert "start all zero: its 32 units" in finding.sentence
    assert finding.step == 0


def test_units_that_are_all_alike():
    alike = FAULT.but(measured={"layers": {"fc1": {"gain": 0.5}, "fc2": {"gain": 0.5, "distinct": 0.9}}})
    assert "the same for every unit" in one(alike).sentence


def test_a_last_layer_of_zeros_is_a_choice():
    layers = {"fc1": {"gain": 0.6, "distinct": 1.0}, "fc2": {"gain": 0.6, "distinct": 1.0}, "fc3": {"gain": 0.0}}
    assert found(FAULT.but(measured={"layers": layers})) is None


def with_gain(gain: float, loss: list[float]) -> Record:
    return Record(loss=loss).but(measured={"layers": {f"fc{i}": {"gain": gain} for i in (1, 2, 3)}})


def test_weights_that_are_too_large():
    finding = one(with_gain(20.0, [90.0, *stays(60.0, 399)]))
    assert "20 times as large as 1/sqrt(fan-in)" in finding.sentence
    assert "first loss is 90" in finding.sentence
    assert found(with_gain(3.0, [90.0, *stays(60.0, 399)])) is None


def test_weights_that_are_too_small():
    assert "100 times smaller" in one(with_gain(0.01, stays())).sentence
    assert found(with_gain(0.5, stays())) is None


def test_not_where_the_run_learned_or_its_start_was_not_seen():
    assert found(FAULT.but(loss=learns())) is None
    assert found(FAULT.but(probed=(50, 100))) is None


def test_a_layer_that_starts_at_zero_and_is_told_apart_by_its_first_gradient_is_sound():
    first = {"gain": lambda i: 0.5 if i else 0.0, "distinct": lambda i: 0.9 if i else 0.0}
    assert found(Record(loss=stays()).but(measured={"layers": {"fc2": first}})) is None


def test_one_unit_cannot_be_like_another():
    single = [layer("skip", 1, 64), *stack(2)]
    zero = {"skip": {"gain": 0.0, "distinct": 0.0}}
    assert found(Record(loss=stays(), layers=single).but(measured={"layers": zero})) is None
