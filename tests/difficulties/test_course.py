"""The course of a loss: where it begins, where it ends, how far it came."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.difficulties.records import Record, breaks, falls, learns, stays
from unstuck.difficulties.course import Course, pooled_constant, smoothed

NAN = float("nan")


def course_of(loss: list[float | None], **measured: object) -> Course | None:
    return Record(loss=loss).but(measured=measured).case().course


def known(loss: list[float | None], **measured: object) -> Course:
    course = course_of(loss, **measured)
    assert course is not None
    return course


def test_a_run_that_learned():
    course = known(learns(2.3, 0.05))
    assert course.start == pytest.approx(2.3, rel=0.01)
    assert course.end == pytest.approx(0.05, rel=0.01)
    assert course.gain == pytest.approx(1 - 0.05 / 2.3, abs=0.01)
    assert course.steps == 400
    assert course.learned
    assert not course.flat
    assert not course.still_falling


def test_a_run_that_went_nowhere():
    course = known(stays(2.3))
    assert course.gain == pytest.approx(0, abs=0.01)
    assert course.flat
    assert not course.learned


def test_the_end_is_the_median_of_the_last_twentieth():
    loss = [1.0] * 190 + [0.5] * 10
    loss[-1] = 1000.0  # one outlier moves nothing
    assert known(loss).end == 0.5


@pytest.mark.parametrize("seen", [0, 1, 2])
def test_fewer_than_three_losses_are_no_course(seen: int):
    assert course_of([2.3] * seen + [None] * 20) is None


def test_losses_that_were_not_seen_are_left_out():
    course = known([value if i % 10 == 0 else None for i, value in enumerate(learns())])
    assert course.steps == 400
    assert course.learned


def test_the_reference_is_the_constant_or_the_start_whichever_is_lower():
    assert known(stays(5.0), baseline={"constant": 2.3}).reference == pytest.approx(2.3, rel=0.01)
    assert known(stays(2.0), baseline={"constant": 2.3}).reference == pytest.approx(2.0, rel=0.01)
    assert known(stays(2.0), baseline=None).reference == pytest.approx(2.0, rel=0.01)


def test_a_run_that_starts_from_a_trained_network_is_compared_with_the_constant():
    course = known(stays(0.2), baseline={"constant": 2.3})
    assert course.reference == pytest.approx(2.3, rel=0.01)
    assert course.learned


def test_a_run_that_breaks():
    course = known(breaks(40))
    assert course.first_bad == 40
    assert course.ends_bad
    assert math.isnan(course.end)
    assert math.isnan(course.gain)
    assert not course.learned
    assert not course.flat


def test_a_run_that_recovers_from_nan():
    loss = learns()
    loss[7] = NAN
    course = known(loss)
    assert course.first_bad == 7
    assert not course.ends_bad
    assert course.learned


def test_a_loss_that_was_never_finite():
    course = known([NAN] * 50)
    assert course.first_bad == 0
    assert course.ends_bad
    assert math.isnan(course.start)
    assert math.isnan(course.lowest)


def test_the_start_is_the_first_loss_that_is_finite():
    assert known([NAN, 2.0, 1.9, *[1.0] * 30]).start == 2.0


def test_a_negative_loss_is_measured_by_its_own_spread():
    course = known([-value for value in falls(0.0, 40.0)], baseline=None)
    assert course.gain == pytest.approx(1.1, abs=0.1)
    assert course.learned
    rising = known([value - 50 for value in falls(0.0, 40.0)], baseline=None)
    assert rising.gain < -0.5


def test_a_loss_that_still_falls():
    course = known(falls(2.3, 0.5))
    assert course.still_falling
    assert course.falling == pytest.approx(0.8 * 0.78 / 3, rel=0.3)  # of thirds, between the middles of their ends


def test_noise_is_not_taken_for_a_fall():
    assert not known(stays(noise=0.2)).still_falling
    assert known(stays(noise=0.2)).noise == pytest.approx(0.46, rel=0.3)


def test_the_class_prior_is_pooled_over_batches():
    # Batches of one class each: a constant fitted to each of them seems to reach 0, and the loss's scale is not known.
    batch = {"counts": lambda i: [64, 0] if i % 2 else [0, 64], "constant": 0.0}
    assert pooled_constant(Record().but(measured={"baseline": batch}).case().probes) is None
    unlike = {"counts": None, "loss_kind": "other", "constant": lambda i: 1e-6 if i % 2 else 2.0}
    assert pooled_constant(Record().but(measured={"baseline": unlike}).case().probes) is None
    batch = {"counts": lambda i: [48, 16] if i % 2 else [16, 48], "constant": _entropy(0.25)}
    assert pooled_constant(Record().but(measured={"baseline": batch}).case().probes) == pytest.approx(math.log(2))


def test_a_loss_that_is_a_sum_keeps_its_scale_when_pooled():
    batch = {"counts": lambda i: [48, 16] if i % 2 else [16, 48], "constant": 64 * _entropy(0.25)}
    assert pooled_constant(Record().but(measured={"baseline": batch}).case().probes) == pytest.approx(64 * math.log(2))


def test_constants_without_classes_are_averaged():
    batch = {"loss_kind": "mse_loss", "counts": None, "constant": lambda i: 1.0 + i % 2}
    assert pooled_constant(Record().but(measured={"baseline": batch}).case().probes) == 1.5
    assert pooled_constant([]) is None


def _entropy(rate: float) -> float:
    return -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)


@pytest.mark.parametrize("length", [0, 1, 4, 5, 6, 49, 50, 51, 1000])
def test_smoothing_keeps_the_range(length: int):
    values = np.linspace(3, 1, length)
    result = smoothed(values)
    assert bool((result >= 1).all() and (result <= 3).all())
    assert len(result) == 0 if length == 0 else 1 <= len(result) <= 50
