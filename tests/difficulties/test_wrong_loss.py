"""Losses that do not fit their targets: one softmax for several labels."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import head
from tests.difficulties.records import Record, learns
from unstuck.difficulties.wrong_loss import find


def labelled(kind: str, labels: int, loss: str = "cross_entropy") -> Record:
    """Return a run that learns on targets with so many labels of 8."""
    return Record(loss=learns()).but(measured=head(loss, [64, 8], [64, 8], of={"kind": kind, "labels": labels}))


def test_several_labels_under_one_softmax_are_named():
    finding = find(labelled("multi-label", 3).case())
    assert finding is not None
    assert "up to 3 labels of 8" in finding.sentence
    assert "binary_cross_entropy_with_logits" in finding.sentence


@pytest.mark.parametrize(
    "sound",
    [
        labelled("one-hot", 1),
        labelled("multi-label", 1),  # rows of zeros leave examples out
        labelled("multi-label", 40),  # counts of words
        labelled("multi-label", 3, loss="binary_cross_entropy_with_logits"),
    ],
    ids=["one-hot", "left out", "counts", "binary"],
)
def test_other_targets_fit(sound):
    assert find(sound.case()) is None
