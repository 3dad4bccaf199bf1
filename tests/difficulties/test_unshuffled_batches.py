"""Batches that hold few classes: by the order of the data, or by the program's choice."""

from __future__ import annotations

import numpy as np

from tests.difficulties.planted import FAULTY, head
from tests.difficulties.records import STEPS, Record, stays
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


def test_three_batches_of_one_class_each_are_enough():
    few = FAULTY["unshuffled-batches"].but(probed=(0, 50, 200))
    assert find(few.case()) is not None
    assert find(few.but(probed=(0, 200)).case()) is None


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


def numbers(means, sizes=(32,), batch=32, evaluated=(), probed=STEPS) -> Finding | None:
    """Return the finding where batches of these sizes have these mean targets, and spread little around them."""

    def task(place: int) -> dict:
        at = means[place % len(means)]
        of = {"mean": at, "std": 0.1, "min": at - 0.3, "max": at + 0.3}
        size = sizes[place % len(sizes)]
        return head("mse_loss", [size], [size], of=of, batch=batch)["task"]

    events = tuple({"name": "evaluation", "step": s, "norms": 0, "training": 0} for s in evaluated)
    return find(Record(loss=stays(), events=events, probed=probed).but(measured={"task": task}).case())


_APART = [0.0, 2.0, -1.0, 3.0, 1.0, -2.0, 2.5, -0.5, 1.5, 0.5, -1.5, 3.5]


def test_batches_of_neighbours_are_named():
    assert numbers(_APART, evaluated=(10, 20, 30)) is not None


def test_targets_that_drift_one_way_are_no_order_of_a_data_set():
    assert numbers(sorted(_APART), probed=tuple(range(0, 360, 30))) is None


def test_the_order_of_the_first_pass_is_no_drift():
    first_pass = [*sorted(_APART[:7]), *_APART[7:]]
    assert numbers(first_pass) is not None


def test_batches_of_ever_other_sizes_are_no_draws():
    assert numbers(_APART, sizes=(32, 17, 25, 9)) is None


def test_what_several_forward_passes_made_is_no_batch_of_examples():
    assert numbers(_APART, batch=1) is None


def test_data_that_the_network_makes_between_every_two_steps_are_in_no_order():
    assert numbers(_APART, evaluated=(1, 2, 3, 4)) is None
