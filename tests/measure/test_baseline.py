"""The best constant prediction: formulas and search against brute-force minimisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unstuck.measure.baseline import measure
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.step import LossCall


@dataclass
class OnlyLosses:
    """A step of which only the losses, or the output and what follows it, are known."""

    losses: list[LossCall] = field(default_factory=list)
    tail: tuple[Tensor, Callable[[Tensor], Tensor]] | None = None

    def output_tail(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        return self.tail


def call(kind: str, prediction: Tensor, target: Tensor, factor: float = 1.0, **options: object) -> LossCall:
    return LossCall(kind, prediction, target, options, factor, None, None)


def of(*calls: LossCall, tail: tuple[Tensor, Callable[[Tensor], Tensor]] | None = None) -> dict:
    return measure(Evaluation(OnlyLosses(list(calls), tail)))  # type: ignore[arg-type]


def lowest(loss: Callable[[Tensor], Tensor], *shape: int) -> float:
    """Minimise a loss over one vector, slowly."""
    place = torch.zeros(shape, dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([place], max_iter=500, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(place)
        value.backward()
        return value

    optimizer.step(closure)
    return float(loss(place).detach())


GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(30, 4, generator=GENERATOR)
LABELS = torch.randint(4, (30,), generator=GENERATOR)
RATES = torch.rand(30, 4, generator=GENERATOR)
VALUES = torch.randn(30, 4, generator=GENERATOR) * torch.tensor([1.0, 5.0, 0.1, 2.0]) + 3
CLASSES: dict[str, dict[str, object]] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "smoothed": {"label_smoothing": 0.1},
    "ignored": {"ignore_index": 2},
    "all": {"reduction": "sum", "label_smoothing": 0.2, "ignore_index": 1},
}


@pytest.mark.parametrize("options", CLASSES.values(), ids=CLASSES)
def test_classes(options: dict[str, object]) -> None:
    truth = lowest(lambda c: F.cross_entropy(c.expand(30, 4), LABELS, **options), 1, 4)  # type: ignore[arg-type]
    found = of(call("cross_entropy", LOGITS, LABELS, **options))
    assert found["constant"] == pytest.approx(truth, rel=1e-6)
    assert found["part"] == pytest.approx(float(F.cross_entropy(LOGITS, LABELS, **options)))  # type: ignore[arg-type]
    seen = LABELS[options.get("ignore_index", -100) != LABELS]
    assert found["counts"] == torch.bincount(seen, minlength=4).tolist()
    assert found["examples"] == 30


def test_log_probabilities() -> None:
    found = of(call("nll_loss", LOGITS.log_softmax(1), LABELS))
    assert found["constant"] == pytest.approx(of(call("cross_entropy", LOGITS, LABELS))["constant"])


@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"label_smoothing": 0.3}], ids=str)
def test_classes_as_probabilities(options: dict[str, object]) -> None:
    targets = RATES / RATES.sum(1, keepdim=True)
    truth = lowest(lambda c: F.cross_entropy(c.expand(30, 4), targets.double(), **options), 1, 4)  # type: ignore[arg-type]
    assert of(call("cross_entropy", LOGITS, targets, **options))["constant"] == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_pixels(reduction: str) -> None:
    logits, labels = torch.randn(5, 3, 4, 4), torch.randint(3, (5, 4, 4), generator=GENERATOR)
    truth = lowest(lambda c: F.cross_entropy(c.expand(5, 3, 4, 4), labels, reduction=reduction), 1, 3, 1, 1)
    assert of(call("cross_entropy", logits, labels, reduction=reduction))["constant"] == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(30, 4), (30,)], ids=str)
def test_yes_or_no(reduction: str, shape: tuple[int, ...]) -> None:
    targets = (RATES > 0.6).float() if len(shape) == 2 else (RATES[:, 0] > 0.6).float()
    loss = F.binary_cross_entropy_with_logits
    truth = lowest(lambda c: loss(c.expand(shape), targets.double(), reduction=reduction), 1, *shape[1:])
    logits = torch.zeros(shape)
    found = of(call("binary_cross_entropy_with_logits", logits, targets, reduction=reduction))
    assert found["constant"] == pytest.approx(truth, rel=1e-5)
    same = of(call("binary_cross_entropy", logits.sigmoid(), targets, reduction=reduction))
    assert same["constant"] == found["constant"]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_squares(reduction: str) -> None:
    truth = lowest(lambda c: F.mse_loss(c.expand(30, 4), VALUES.double(), reduction=reduction), 1, 4)
    assert of(call("mse_loss", LOGITS, VALUES, reduction=reduction))["constant"] == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_absolute_values_are_lowest_at_one_of_the_targets(reduction: str) -> None:
    def loss(column: int, value: Tensor) -> float:
        return float((VALUES[:, column].double() - value).abs().mean())

    truth = sum(min(loss(k, value) for value in VALUES[:, k].double()) for k in range(4)) / 4
    found = of(call("l1_loss", LOGITS, VALUES, reduction=reduction))
    assert found["constant"] == pytest.approx(truth * (1 if reduction == "mean" else 120), rel=1e-6)


def test_a_constant_target_leaves_nothing() -> None:
    assert of(call("mse_loss", LOGITS, torch.ones(30, 4)))["constant"] == 0
    assert of(call("cross_entropy", LOGITS, torch.zeros(30, dtype=torch.long)))["constant"] == 0


def test_several_calls_add_up_by_their_weights() -> None:
    alone = [of(call("mse_loss", LOGITS, VALUES)), of(call("cross_entropy", LOGITS, LABELS))]
    both = of(call("mse_loss", LOGITS, VALUES, 0.25), call("cross_entropy", LOGITS, LABELS, 0.5))
    assert both["constant"] == pytest.approx(0.25 * alone[0]["constant"] + 0.5 * alone[1]["constant"])
    assert both["part"] == pytest.approx(0.25 * alone[0]["part"] + 0.5 * alone[1]["part"])
    assert both["counts"] is None


def test_a_target_that_broadcasts_is_left_to_the_search() -> None:
    with pytest.warns(UserWarning, match="target size"), pytest.raises(NotMeasurable, match="known formula"):
        of(call("mse_loss", torch.zeros(30, 1), VALUES[:, 0]))


UNKNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "huber": lambda output: F.huber_loss(output, VALUES.to(output.dtype)),
    "weighted": lambda output: F.cross_entropy(output, LABELS, torch.tensor([1.0, 2, 3, 4], dtype=output.dtype)),
    "poisson": lambda output: F.poisson_nll_loss(output, VALUES.abs().to(output.dtype)),
}


@pytest.mark.parametrize("loss", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_loss_is_searched(loss: Callable[[Tensor], Tensor]) -> None:
    truth = lowest(lambda c: loss(c.expand(30, 4)), 1, 4)
    found = of(tail=(LOGITS, loss))
    assert found["loss_kind"] == "other"
    assert found["part"] == pytest.approx(float(loss(LOGITS)))
    assert found["constant"] == pytest.approx(truth, rel=0.02)
    assert found["constant"] >= truth - 1e-5


def test_class_weights_have_no_formula() -> None:
    weighted = call("cross_entropy", LOGITS, LABELS, weight=torch.ones(4))
    assert of(weighted, tail=(LOGITS, UNKNOWN["weighted"]))["loss_kind"] == "other"


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        (None, "known formula"),
        ((LOGITS[:, 0], torch.sum), "no batch"),
        ((LOGITS[:3], torch.sum), "no batch"),
        ((LOGITS, lambda output: output.sum() * math.nan), "not finite"),
    ],
)
def test_what_cannot_be_searched_is_said(tail: tuple[Tensor, Callable[[Tensor], Tensor]] | None, why: str) -> None:
    with pytest.raises(NotMeasurable, match=why):
        of(tail=tail)
