"""Modes: what counts as an evaluation in training mode, and what is a part of the training."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import SOUND
from tests.difficulties.records import Record
from unstuck.difficulties.wrong_mode import find


def evaluated(*steps: int, training: int = 3) -> Record:
    """Return a stuck run whose network ran without gradients at these steps."""
    events = [
        {"name": "evaluation", "step": s, "norms": 3, "training": training, "file": "train.py", "line": 40}
        for s in steps
    ]
    return SOUND["wrong-mode"].but(events=events)


@pytest.mark.parametrize("steps", [(100,), (100, 200, 300), (1, 2, 90)])
def test_an_evaluation_in_training_mode_is_named_at_its_line(steps):
    finding = find(evaluated(*steps).case())
    assert finding is not None
    assert finding.where.line == 40


def test_one_at_every_step_is_a_part_of_the_training():
    assert find(evaluated(1, 2, 3, 4, 5, 6).case()) is None


def test_one_in_evaluation_mode_is_sound():
    assert find(evaluated(100, 200, training=0).case()) is None
    assert find(evaluated(100, 200, training=2).case()) is None
