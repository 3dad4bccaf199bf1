"""Decay that outweighs the gradient of the loss, or takes the way out of a saddle."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, learns, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.weight_decay_too_strong import find

FAULT = FAULTY["weight-decay-too-strong"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_with_the_layer_and_the_share():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER}"
    assert "Weight decay 0.3 is too strong" in finding.sentence
    assert "1.1 times the loss's own gradient" in finding.sentence
    assert finding.remedies[0] == "set weight_decay=0 until the network learns, then try 0.006"


def test_not_without_decay_or_where_the_run_learned():
    assert found(FAULT.but(group={})) is None
    assert found(FAULT.but(loss=learns())) is None


def test_decay_that_is_weaker_than_the_gradient_is_none():
    assert found(FAULT.but(measured={"decay": {f"fc{i}": {"share": 0.1} for i in (1, 2, 3)}})) is None


def test_the_race_at_a_saddle():
    race = Record(loss=stays(noise=1e-5), group={"weight_decay": 0.01}).but(
        measured={
            "inputs": {"sum": 1.0},
            "curvature": {"largest": 1.0, "raw_smallest": -0.02, "smallest": -0.005},
        }
    )
    finding = one(race)
    assert "50 %" in finding.sentence
    assert "flat-region" in finding.explains
    assert found(race.but(group={"weight_decay": 1e-4})) is None
