"""Steps above the stability limit that throw the loss up."""

from __future__ import annotations

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import OPTIMIZER, Record, leaps, learns, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.step_too_large import find

FAULT = FAULTY["step-too-large"]


def found(record: Record) -> Finding | None:
    """Return the finding in a record."""
    return find(record.case())


def one(record: Record) -> Finding:
    """Return the finding in a record that has it."""
    finding = found(record)
    assert finding is not None
    return finding


def test_it_is_named_at_the_optimizer_with_the_ratio():
    finding = one(FAULT)
    assert str(finding.where) == f"train.py:{OPTIMIZER}"
    assert "12 times the stability limit" in finding.sentence
    assert "rose to 50" in finding.sentence
    assert finding.evidence["sharpness / limit, highest early"] == 12
    assert finding.remedies[0] == "lower the learning rate from 5 to about 0.2"
    assert finding.step == 0


def test_not_at_the_edge_of_stability_where_the_run_learns():
    assert found(FAULT.but(loss=learns(), measured={"sharpness": {"ratio": 1.3}})) is None


def test_not_where_the_loss_was_never_thrown_up():
    assert found(FAULT.but(loss=stays())) is None


def test_a_loss_that_breaks_at_once_was_thrown_up_too():
    finding = one(FAULT.but(loss=[2.3, 40.0, *[float("nan")] * 100], probed=(0, 1)))
    assert "became infinite or NaN" in finding.sentence


def test_without_probes_only_a_wild_leap_is_named():
    finding = one(FAULT.but(probed=(), loss=leaps(1e6)))
    assert "stability limit" not in finding.sentence
    assert "rose to 1 million" in finding.sentence
    assert found(FAULT.but(probed=(), loss=leaps(8.0))) is None


def test_the_first_steps_of_adam_do_not_count_unless_they_raised_the_loss():
    young = FAULT.but(loss=stays(), measured={"sharpness": {"preconditioned": True, "ratio": 1e4}})
    assert found(young) is None


def test_a_first_step_of_the_weights_own_size_counts_with_a_smaller_rise():
    rises = FAULT.but(loss=leaps(3.2), measured={"sharpness": {"ratio": 0.2}})
    assert found(rises) is None
    finding = one(rises.but(measured={"norms": {"typical_ratio": 0.6}}))
    assert "more than 30 %" in finding.sentence


def test_one_odd_batch_is_not_thrown_up_by_the_step():
    losses = stays()
    losses[200] = 50.0
    sound = {"sharpness": {"ratio": 0.01}, "along_update": {"loss_before": 2.3, "loss_after": 2.29}}
    assert found(FAULT.but(loss=losses, measured=sound)) is None


def test_the_surrogate_of_a_policy_gradient_that_ends_at_nothing_is_not_thrown_up():
    losses = [-0.05, *[-0.1 * k for k in range(1, 13)], *[0.0] * 387]
    assert found(FAULT.but(loss=losses, measured={"sharpness": {"ratio": 0.9}})) is None


def test_a_likelihood_that_is_thrown_up_is_named_though_it_was_negative():
    losses = [2.0, 30.0, 25.0, *[-1.0] * 20, *[2.0] * 377]
    assert found(FAULT.but(loss=losses)) is not None
