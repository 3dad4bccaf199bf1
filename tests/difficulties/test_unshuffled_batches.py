"""Batches that hold few classes: by the order of the data, or by the program's choice."""

from __future__ import annotations

import numpy as np

from tests.difficulties.planted import FAULTY, head
from tests.difficulties.records import Record, stays
from unstuck.difficulties.finding import Finding
from unstuck.difficulties.unshuffled_batches import find


def drawn(counts_of) -> Finding | None:
    """Return the finding where the classes of a batch are so."""
    generator = np.random.default_rng(0)

    def task(_: int) -> dict:
        counts = [int(c) for c in counts_of(generator)]
        return head("cross_entropy", [sum(counts), 10], [sum(counts)], of={"kind": "classes", "classes": counts})[
            "task"
        ]

    return find(Record(loss=stays()).but(measured={"task": task}).case())


def test_one_class_after_the_other_is_named():
    finding = find(FAULTY["unshuffled-batches"].case())
    assert finding is not None
    assert "shuffle=True" in finding.sentence


def test_neighbours_of_sorted_data_are_named():
    def counts(generator):
        first, cut = generator.integers(9), generator.integers(1, 64)
        return [cut if k == first else 64 - cut if k == first + 1 else 0 for k in range(10)]

    assert drawn(counts) is not None


def test_random_batches_are_sound():
    assert drawn(lambda generator: generator.multinomial(64, np.full(10, 0.1))) is None


def test_some_classes_with_as_many_examples_each_are_put_together_on_purpose():
    def counts(generator):
        chosen = generator.permutation(10)[:4]
        return [16 if k in chosen else 0 for k in range(10)]

    assert drawn(counts) is None


def test_sorted_data_whose_batches_hold_whole_classes_are_named():
    def counts(generator):
        first = 3 * generator.integers(3)
        return [16 if first <= k < first + 3 else 0 for k in range(10)]

    assert drawn(counts) is not None
