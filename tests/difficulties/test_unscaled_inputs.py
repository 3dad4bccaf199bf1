"""Inputs far from mean 0 and standard deviation 1, in a run that suffers from it."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY, head
from tests.difficulties.records import FIRST_LAYER, Record, layer, learns, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.unscaled_inputs import find

FAULT = FAULTY["unscaled-inputs"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_first_layer():
    finding = one(FAULT)
    assert finding.where.layer == "fc1"
    assert finding.where.line == FIRST_LAYER
    assert "root mean square of 229" in finding.sentence
    assert "from 0.002 to 540 over its 64 features" in finding.sentence
    assert finding.cost is not None
    assert finding.cost.times_slower == pytest.approx(440**2)


def test_large_inputs_that_the_run_does_not_suffer_from_are_no_fault():
    assert found(FAULT.but(loss=learns())) is None
    even = {"sharpness": {"ratio": 0.3}, "inputs": {"feature_rms_median": 200.0}}
    assert found(FAULT.but(loss=stays(), measured=even)) is None


def test_inputs_of_pixels_between_0_and_1_are_no_fault():
    assert found(Record(loss=stays())) is None


def test_a_saturated_first_layer_shows_it_too():
    saturated = {"sharpness": {"ratio": 0.3}, "layers": {"fc1": {"saturated": 0.9}}}
    assert found(FAULT.but(loss=stays(), measured=saturated)) is not None


def test_not_without_inputs():
    assert found(FAULT.but(measured={"inputs": None})) is None


def regression(mean: float, late: float, spread: float = 300.0) -> Record:
    """Return a stuck regression on targets around 4,000 with this mean of its outputs and this squared error."""
    target = {"mean": 4000.0, "std": spread, "min": 3000.0, "max": 5000.0}
    measured = head("mse_loss", [64, 1], [64, 1], of=target, error=late)
    measured["task"]["heads"][0]["prediction"] |= {"mean": mean, "std": 10.0}
    return Record(loss=stays(late)).but(measured=measured)


def test_targets_far_from_the_outputs_are_named():
    assert found(regression(mean=20.0, late=4000.0**2)) is not None


def test_noisy_targets_whose_level_was_found_are_no_fault():
    assert found(regression(mean=3990.0, late=0.97 * 300.0**2)) is None


@pytest.mark.parametrize(("size", "named"), [(0.9, True), (0.4, False)])
def test_a_recurrent_first_layer_whose_outputs_are_at_their_ends_shows_it_too(size, named):
    measured = {
        "sharpness": {"ratio": 0.3},
        "inputs": {"feature_rms_median": 200.0},
        "layers": {"gru": {"pre_mean": 0.1, "pre_std": size}},
    }
    layers = [layer("gru", 72, 1, kind="recurrent"), layer("fc", 1, 24)]
    finding = found(FAULT.but(loss=stays(), layers=layers, measured=measured))
    assert (finding is not None) is named


def test_a_level_that_was_found_at_the_cost_of_the_hidden_units_is_a_fault():
    saturated = {"layers": {"fc1": {"saturated": lambda place: 0.0 if place == 0 else 1.0}}}
    record = regression(mean=3990.0, late=0.97 * 300.0**2)
    assert found(record.but(measured=saturated)) is not None
