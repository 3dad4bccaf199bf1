"""The loss exchanged for another, or its sum for the mean."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.difficulties.planted import head
from tests.difficulties.records import Record
from tests.remedies.training import IMPORTS, run_of, staged
from unstuck.errors import UsageError
from unstuck.remedies.loss import ExchangeLoss

RANDOM = torch.Generator().manual_seed(0)
OUT = torch.randn(6, 3, generator=RANDOM)
NUMBERS = torch.tensor([0, 1, 2, 2, 1, 0])
ROWS = F.one_hot(NUMBERS, 3).float()
LABELS = torch.tensor([[1.0, 1, 0]] * 6)
SIGNS = torch.tensor([1.0, -1, 1, -1, -1, -1])
BCE, CE, MSE = "binary_cross_entropy_with_logits", "cross_entropy", "mse_loss"


def result(loss, outputs=OUT):
    outputs = outputs.clone().requires_grad_()
    value = loss(outputs)
    value.sum().backward()
    return torch.cat([value.detach().flatten(), outputs.grad.flatten()])


#: new loss -> what the program computes, what it would compute by hand
EXCHANGES = [
    (CE, lambda o: F.mse_loss(o, ROWS), lambda o: F.cross_entropy(o, ROWS)),
    (CE, lambda o: F.nll_loss(o, NUMBERS), lambda o: F.cross_entropy(o, NUMBERS)),
    (CE, lambda o: nn.BCEWithLogitsLoss()(o, ROWS), lambda o: F.cross_entropy(o, ROWS)),
    (CE, lambda o: F.nll_loss(o, NUMBERS, reduction="sum"), lambda o: F.cross_entropy(o, NUMBERS, reduction="sum")),
    (MSE, lambda o: F.cross_entropy(o, NUMBERS), lambda o: F.mse_loss(o, ROWS)),
    (MSE, lambda o: nn.L1Loss(reduction="none")(o, ROWS), lambda o: F.mse_loss(o, ROWS, reduction="none")),
    ("l1_loss", lambda o: F.huber_loss(o, ROWS, delta=0.1), lambda o: F.l1_loss(o, ROWS)),
    (BCE, lambda o: F.cross_entropy(o, LABELS), lambda o: F.binary_cross_entropy_with_logits(o, LABELS)),
    (BCE, lambda o: F.cross_entropy(o, NUMBERS), lambda o: F.binary_cross_entropy_with_logits(o, ROWS)),
    (
        BCE,
        lambda o: F.cross_entropy(o[:, :1], torch.zeros(6).long()),
        lambda o: F.binary_cross_entropy_with_logits(o[:, :1], torch.zeros(6, 1)),
    ),
    (
        BCE,
        lambda o: F.binary_cross_entropy_with_logits(o[:, 0], SIGNS),
        lambda o: F.binary_cross_entropy_with_logits(o[:, 0], (SIGNS + 1) / 2),
    ),
]


@pytest.mark.parametrize(("to", "before", "after"), EXCHANGES)
def test_it_equals_the_other_loss_by_hand(to, before, after):
    with staged(ExchangeLoss(to)) as stage:
        treated = result(before)
    assert torch.equal(treated, result(after))
    assert not torch.equal(treated, result(before))
    assert stage.applied == {"loss"}


def test_class_numbers_of_places_become_rows_along_the_classes():
    outputs = torch.randn(2, 3, 4, generator=RANDOM)
    numbers = torch.randint(3, (2, 4), generator=RANDOM)
    rows = F.one_hot(numbers, 3).transpose(1, 2).float()
    with staged(ExchangeLoss(MSE)):
        treated = result(lambda o: F.cross_entropy(o, numbers), outputs)
    assert torch.equal(treated, result(lambda o: F.mse_loss(o, rows), outputs))


#: new loss -> a call that stays as it is, and why
REFUSED = [
    (CE, lambda o: F.mse_loss(o[:, :1], NUMBERS[:, None].float()), "outputs and targets of mse_loss do not fit"),
    (CE, lambda o: F.mse_loss(o, OUT + 1), "outputs and targets of mse_loss do not fit"),
    (BCE, lambda o: F.mse_loss(o, OUT * 9), "outputs and targets of mse_loss do not fit"),
    (MSE, lambda o: F.cross_entropy(o, torch.full((6,), -100)), "outputs and targets of cross_entropy do not fit"),
    (CE, lambda o: F.cross_entropy(o, NUMBERS, label_smoothing=0.1), "it is cross_entropy already"),
    (MSE, lambda o: F.mse_loss(o, ROWS), "it is mse_loss already"),
]


@pytest.mark.parametrize(("to", "loss", "why"), REFUSED)
def test_a_loss_that_cannot_be_exchanged_stays(to, loss, why):
    expected = result(loss)
    with staged(ExchangeLoss(to)) as stage:
        assert torch.equal(result(loss), expected) or bool(expected.isnan().any())
    assert stage.applied == set()
    assert stage.why_not["loss"].startswith(why)


def test_losses_of_probabilities_are_left_alone():
    probabilities = OUT.sigmoid()
    with staged(ExchangeLoss(BCE)) as stage:
        treated = result(lambda p: F.binary_cross_entropy(p, ROWS), probabilities)
    assert torch.equal(treated, result(lambda p: F.binary_cross_entropy(p, ROWS), probabilities))
    assert stage.applied == set()


@pytest.mark.parametrize("name", ["mse_loss", "binary_cross_entropy", "smooth_l1_loss"])
def test_a_sum_becomes_the_mean(name):
    outputs = OUT.sigmoid()
    with staged(ExchangeLoss(mean=True)) as stage:
        treated = result(lambda o: getattr(F, name)(o, ROWS, reduction="sum"), outputs)
    assert torch.equal(treated, result(lambda o: getattr(F, name)(o, ROWS), outputs))
    assert stage.applied == {"loss"}


def test_a_mean_stays_one():
    with staged(ExchangeLoss(mean=True)) as stage:
        assert torch.equal(result(lambda o: F.mse_loss(o, ROWS)), result(lambda o: F.mse_loss(o, ROWS)))
    assert stage.why_not == {"loss": "no loss of torch is a sum"}


def test_another_loss_can_be_a_mean_where_the_old_one_was_a_sum():
    with staged(ExchangeLoss(CE, mean=True)):
        treated = result(lambda o: F.nll_loss(o, NUMBERS, reduction="sum"))
    assert torch.equal(treated, result(lambda o: F.cross_entropy(o, NUMBERS)))


def test_a_wrong_call_fails_as_it_did():
    with staged(ExchangeLoss(CE)), pytest.raises(TypeError, match="missing 1 required positional argument"):
        F.mse_loss(OUT)


def seen(kind, line=1):
    record = Record().but(measured=head(kind, [64, 3], [64, 3]))
    record.changes["task"]["heads"][0]["line"] = line
    return record.changes


def test_the_edit_names_the_loss():
    edit = ExchangeLoss(CE).edit(run_of(changes=seen("mse_loss")))
    assert edit.sentence == "write F.cross_entropy for the loss at train.py:1, with class numbers as targets"
    assert (edit.file, edit.line) == ("train.py", 1)
    assert ExchangeLoss(MSE).edit(run_of()).file is None


def test_the_edit_of_a_sum_is_a_diff_where_it_is_plain(tmp_path):
    run = run_of("loss = F.mse_loss(a, b, reduction='sum')\n" + IMPORTS, tmp_path, changes=seen("mse_loss"))
    edit = ExchangeLoss(mean=True).edit(run)
    assert edit.sentence == "write reduction='mean' for the loss at train.py:1 (it is 'sum')"
    assert '+loss = F.mse_loss(a, b, reduction="mean")' in edit.diff


def test_it_must_be_told_what_to_change():
    assert ExchangeLoss(CE, mean=True).label == "cross_entropy and the loss's mean, not its sum"
    with pytest.raises(UsageError, match="name the loss, or set mean"):
        ExchangeLoss()
    with pytest.raises(UsageError, match="there is no loss 'hinge'"):
        ExchangeLoss("hinge")
