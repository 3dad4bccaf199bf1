"""Statistics of what the network reads, and the curvature of one batch along another's direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.measure.networks import tanh_step
from tests.measure.reference import dense_hessian
from unstuck.measure import held_out
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.inputs import measure


@dataclass
class OnlyInputs:
    """A step of which only the inputs are known."""

    inputs: Tensor | None


def of(inputs: Tensor | None) -> dict[str, Any]:
    return measure(Evaluation(OnlyInputs(inputs)))  # type: ignore[arg-type]


COLUMNS = torch.tensor([[1.0, 100.0, 7.0], [3.0, 300.0, 7.0]])


def test_features_are_columns() -> None:
    found = of(COLUMNS)
    assert (found["features"], found["constant_features"]) == (3, 1)
    assert (found["feature_std_min"], found["feature_std_max"]) == (1, 100)  # of those that vary
    assert found["offset"] == 2
    assert found["feature_rms_max"] == pytest.approx(50_000**0.5)
    assert found["feature_rms_median"] == 7
    assert (found["min"], found["max"], found["sum"]) == (1, 300, 418)
    assert found["mean"] == pytest.approx(418 / 6)
    assert found["rms"] ** 2 == pytest.approx(found["mean"] ** 2 + found["std"] ** 2)


def test_the_last_dimension_of_a_sequence_and_the_channels_of_an_image_are_features() -> None:
    sequence = COLUMNS.reshape(2, 1, 3).expand(2, 5, 3)
    assert of(sequence)["feature_std_max"] == pytest.approx(100)
    image = COLUMNS.reshape(2, 3, 1, 1).expand(2, 3, 4, 4)
    assert of(image)["features"] == 3
    assert of(image)["feature_std_max"] == pytest.approx(100)


def test_a_vector_is_one_feature() -> None:
    assert of(torch.arange(5.0))["features"] == 1


def test_inputs_that_do_not_vary() -> None:
    found = of(torch.full((4, 2), 3.0))
    assert (found["feature_std_min"], found["offset"], found["constant_features"]) == (0, 0, 2)


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        (None, "directly"),
        (torch.tensor([1, 2]), "indices"),
        (torch.zeros(0, 3), "empty"),
        (torch.tensor([[1.0, float("nan")]]), "not finite"),
    ],
)
def test_what_has_no_statistics_is_said(inputs: Tensor | None, why: str) -> None:
    with pytest.raises(NotMeasurable, match=why):
        of(inputs)


def test_curvature_along_an_earlier_direction_agrees_with_the_dense_hessian() -> None:
    step = tanh_step(torch.float64)
    hessian = dense_hessian(step)
    direction = torch.randn(len(hessian), dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    found = held_out.measure(Evaluation(step, earlier=3 * direction))["curvature"]
    assert found == pytest.approx(float(direction @ hessian @ direction / (direction @ direction)), rel=1e-6)


def test_no_earlier_direction_is_said() -> None:
    with pytest.raises(NotMeasurable, match="no earlier step"):
        held_out.measure(Evaluation(tanh_step()))
    with pytest.raises(NotMeasurable, match="no earlier step"):
        held_out.measure(Evaluation(tanh_step(), earlier=torch.ones(3)))
