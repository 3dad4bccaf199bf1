"""Weight decay, momentum and betas: hyper-parameters set in the groups before every step."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop, Rprop

from tests.remedies.training import IMPORTS, run_of, same, staged, train
from unstuck.remedies.betas import Betas
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.weight_decay import WeightDecay

CASES = {
    "less decay": (WeightDecay(0.0), lambda ps: SGD(ps, 0.1, weight_decay=0.5), lambda ps: SGD(ps, 0.1)),
    "more decay": (WeightDecay(0.25), lambda ps: AdamW(ps, 0.1), lambda ps: AdamW(ps, 0.1, weight_decay=0.25)),
    "momentum": (Momentum(0.9), lambda ps: SGD(ps, 0.1), lambda ps: SGD(ps, 0.1, momentum=0.9)),
    "no momentum": (Momentum(0.0), lambda ps: SGD(ps, 0.1, momentum=0.9, nesterov=True), lambda ps: SGD(ps, 0.1)),
    "rmsprop": (Momentum(0.9), lambda ps: RMSprop(ps, 0.1), lambda ps: RMSprop(ps, 0.1, momentum=0.9)),
    "nesterov": (
        Momentum(0.9, nesterov=True),
        lambda ps: SGD(ps, 0.1, momentum=0.5, dampening=0.2),
        lambda ps: SGD(ps, 0.1, momentum=0.9, nesterov=True),
    ),
    "betas": (Betas(0.5, 0.95), lambda ps: Adam(ps, 0.1), lambda ps: Adam(ps, 0.1, betas=(0.5, 0.95))),
}


@pytest.mark.parametrize("case", CASES)
def test_it_equals_an_optimizer_made_so(case):
    remedy, plain, wanted = CASES[case]
    with staged(remedy) as stage:
        treated = train(plain)
    assert same(treated, train(wanted))
    assert not same(treated, train(plain))
    assert stage.applied == {remedy.kind}


def test_the_program_finds_its_own_values_again():
    optimizers = []

    def make(parameters):
        optimizers.append(SGD(parameters, 0.1, momentum=0.5, weight_decay=0.5))
        return optimizers[0]

    with staged(Momentum(0.9, nesterov=True), WeightDecay(0.0)):
        train(make)
    group = optimizers[0].param_groups[0]
    assert (group["momentum"], group["nesterov"], group["weight_decay"]) == (0.5, False, 0.5)


@pytest.mark.parametrize(
    ("remedy", "make", "why"),
    [
        (WeightDecay(0.1), Rprop, "its optimizer has no weight decay"),
        (Momentum(0.9), Adam, "its optimizer has no momentum of this kind"),
        (Momentum(0.9, nesterov=True), RMSprop, "its optimizer has no momentum of this kind"),
        (Betas(0.9, 0.95), SGD, "its optimizer is not of Adam's family"),
        (WeightDecay(0.0), SGD, "the program has these values already"),
        (Betas(0.9, 0.999), Adam, "the program has these values already"),
    ],
)
def test_it_says_why_it_finds_nothing_to_change(remedy, make, why):
    with staged(remedy) as stage:
        treated = train(make)
    assert stage.applied == set()
    assert stage.why_not == {remedy.kind: why}
    assert same(treated, train(make))


def test_labels_hold_the_new_values():
    labels = [r.label for r in (WeightDecay(0.0), Momentum(0.9), Momentum(0.9, nesterov=True), Betas(0.9, 0.95))]
    assert labels == ["weight decay 0", "momentum 0.9", "Nesterov momentum 0.9", "betas 0.9 and 0.95"]


@pytest.mark.parametrize(
    ("remedy", "line"),
    [
        (WeightDecay(0.0), "optimizer = SGD(model.parameters(), lr=0.1, momentum=0.5, weight_decay=0)"),
        (Momentum(0.9), "optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.5)"),
        (
            Momentum(0.9, nesterov=True),
            "optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.5, nesterov=True)",
        ),
    ],
)
def test_the_edit_writes_the_keyword(tmp_path, remedy, line):
    source = "optimizer = SGD(model.parameters(), lr=0.1, momentum=0.5, weight_decay=0.5)\n"
    edit = remedy.edit(run_of(source + IMPORTS, tmp_path, group={"weight_decay": 0.5, "momentum": 0.5}))
    assert f"+{line}" in edit.diff.splitlines()
    assert "train.py:1" in edit.sentence


def test_no_keyword_is_written_twice(tmp_path):
    source = "optimizer = SGD(model.parameters(), lr=0.1, momentum=0.5, nesterov=False)\n"
    edit = Momentum(0.9, nesterov=True).edit(
        run_of(source + IMPORTS, tmp_path, group={"momentum": 0.5, "nesterov": False})
    )
    assert "+optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)\n" in edit.diff
    assert "momentum=0.9, nesterov=True" in edit.sentence


def test_tensors_of_the_program_may_be_its_values():
    rate = torch.tensor(0.1)
    with staged(WeightDecay(0.5)) as stage:
        treated = train(lambda ps: Adam(ps, rate))
    assert stage.applied == {"weight-decay"}
    assert same(treated, train(lambda ps: Adam(ps, rate, weight_decay=0.5)))
