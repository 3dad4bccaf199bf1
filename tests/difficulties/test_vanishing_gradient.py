"""The backward signal dies out with depth."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import FIRST_LAYER, Record, learns, stack, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.vanishing_gradient import find

FAULT = FAULTY["vanishing-gradient"]


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
    assert finding.evidence["first layer's speed / last layer's"] == pytest.approx(0.15**5, rel=1e-3)
    assert "13 000 times less" in finding.sentence
    assert "about 0.15 (at the first: 0.25 by the slope of its sigmoid, 0.6 by the weights)" in finding.sentence
    assert finding.cost is not None
    assert finding.cost.low == pytest.approx(0.15**-5, rel=1e-3)
    assert "sigmoid by relu" in finding.remedies[0]


def test_not_where_the_run_learned_all_the_same():
    assert found(FAULT.but(loss=learns())) is None


def test_not_where_not_even_a_constant_was_learned():
    assert found(FAULT.but(loss=[x + 1 for x in stays(2.3)])) is None


def test_both_measures_must_show_it():
    assert found(FAULT.but(measured={"layers": {"fc1": {"delta": 0.09}}})) is None


def test_two_layers_have_no_depth():
    assert found(FAULT.but(layers=stack(2, activation="sigmoid"))) is None
