"""Labels of yes or no that are other numbers than 1 and 0."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.difficulties.planted import head
from tests.difficulties.records import Record
from tests.remedies.training import IMPORTS, run_of, staged
from unstuck.errors import UsageError
from unstuck.remedies.labels import MapLabels
from unstuck.trials.inside.errors import Errors

OUT, ANSWERS = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1.0, 0.0, 0.0])
PROGRAMS = [
    (1.0, 2.0, "F.binary_cross_entropy_with_logits(model(x), y)", "(y - 1)"),
    (-1.0, 1.0, "F.binary_cross_entropy_with_logits(model(x), y)", "(y + 1) / 2"),
    (0.0, 255.0, "F.binary_cross_entropy_with_logits(model(x), y[0])", "y[0] / 255"),
    (1.0, 2.0, "F.binary_cross_entropy_with_logits(model(x), 3 - y)", "((3 - y) - 1)"),
]


@pytest.mark.parametrize(("low", "high"), [(1.0, 2.0), (-1.0, 1.0), (0.0, 255.0)])
def test_the_loss_is_that_of_yes_and_no(low: float, high: float):
    labels = low + ANSWERS * (high - low)
    with staged(MapLabels(low, high)) as stage:
        treated = F.binary_cross_entropy_with_logits(OUT, labels)
    assert treated == F.binary_cross_entropy_with_logits(OUT, ANSWERS)
    assert stage.applied == {"labels"}
    error = Errors().of("binary_cross_entropy_with_logits", OUT, labels, {})
    assert error is not None
    assert error.item() == pytest.approx(1 / 3), "the error is that of the program's own labels"


@pytest.mark.parametrize(("low", "high", "line", "written"), PROGRAMS)
def test_the_edit_maps_the_target_where_the_loss_gets_it(low, high, line, written, tmp_path):
    seen = head("binary_cross_entropy_with_logits", [64, 1], [64, 1])
    seen["task"]["heads"][0]["line"] = 1
    run = run_of(f"loss = {line}\n" + IMPORTS, tmp_path, changes=Record().but(measured=seen).changes)
    edit = MapLabels(low, high).edit(run)
    assert (edit.file, edit.line) == ("train.py", 1)
    assert "the loss at train.py:1" in edit.sentence
    assert f"{written})\n" in edit.diff


def test_without_a_place_it_is_said_in_words():
    assert MapLabels(1.0, 2.0).edit(Record().run()).sentence == "write (target - 1) for the target of the loss"


def test_labels_lie_between_two_numbers():
    with pytest.raises(UsageError, match="the smaller first; got 2 and 1"):
        MapLabels(2.0, 1.0)
