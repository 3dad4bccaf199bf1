"""Targets that are all the same: a fault where it is the task, none where it is a part of one."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY, head
from tests.difficulties.records import Record, leaps, stays
from unstuck.difficulties.targets_misaligned import find

_ONES = {"min": 1.0, "max": 1.0, "mean": 1.0, "std": 0.0}


def constant(kind: str, outputs: list[int], targets: list[int]) -> dict:
    """Return a task whose targets are all 1."""
    return head(kind, outputs, targets, of={**_ONES, "kind": "classes"})


@pytest.mark.parametrize(("kind", "outputs"), [("cross_entropy", [64, 10]), ("binary_cross_entropy_with_logits", [64])])
def test_one_label_for_all_is_named(kind, outputs):
    finding = find(Record(loss=stays()).but(measured=constant(kind, outputs, [64])).case())
    assert finding is not None
    assert "1" in finding.sentence


def test_a_distance_from_one_number_may_be_meant():
    assert find(Record(loss=stays()).but(measured=constant("mse_loss", [64, 1], [64, 1])).case()) is None


def test_one_label_at_one_of_two_places_may_be_a_domain():
    one = constant("binary_cross_entropy_with_logits", [64], [64])["task"]["heads"]
    other = head("cross_entropy", [64, 10], [64], of={"kind": "classes", "max": 9.0}, line=31)["task"]["heads"]
    both = {"task": {"heads": [*one, *other], "places": 2}}
    assert find(Record(loss=stays()).but(measured=both).case()) is None


def copied(ahead: bool | None) -> Record:
    """Return a run whose targets are its inputs."""
    measured = {"score": 40.0, "moved": 0.4, "examples": 64, "same": 1.0, "ahead": ahead, "groups": 10}
    return Record().but(measured={"targets": measured})


def test_targets_that_were_not_moved_are_named_and_an_autoencoder_is_not():
    finding = find(copied(ahead=False).case())
    assert finding is not None
    assert "x[:, 1:]" in finding.sentence
    assert find(copied(ahead=True).case()) is None
    assert find(copied(ahead=None).case()) is None


def test_a_run_that_was_thrown_up_says_nothing_of_its_targets():
    apart = FAULTY["targets-misaligned"]
    assert find(apart.case()) is not None
    thrown = apart.but(loss=leaps(50.0), measured={"norms": {"typical_ratio": 0.6}})
    assert find(thrown.case()) is None
    assert find(thrown.but(loss=apart.loss).case()) is not None
