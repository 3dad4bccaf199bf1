"""Another algorithm inside the program's optimizer."""

from __future__ import annotations

import gc
from importlib import import_module

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from tests.remedies.training import IMPORTS, network, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.optimizer import PACKAGES, Exchange
from unstuck.remedies.weight_decay import WeightDecay

# Powers of two: then the rates of both trainings are the same numbers to the last bit.
OLD, NEW = 0.5, 2.0**-6


def sgd(parameters):
    return torch.optim.SGD(parameters, OLD)


def adam(parameters):
    return torch.optim.Adam(parameters, NEW)


def cosine(optimizer):
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)


@pytest.mark.parametrize("name", PACKAGES)
@pytest.mark.parametrize("closure", [False, True])
def test_every_algorithm_equals_the_one_that_a_person_would_write(name, closure):
    algorithm = getattr(import_module(PACKAGES[name]), name)
    options = {"momentum": 0.9, "nesterov": True} if name == "SGD" else {}
    with staged(Exchange(name, NEW, options)) as stage:
        treated = train(sgd, closure=closure)
    kept = {"weight_decay": 0} if name == "AdamW" else {}  # the program has none
    assert same(treated, train(lambda ps: algorithm(ps, NEW, **options, **kept)))
    assert not same(treated, train(sgd))
    assert stage.applied == {"optimizer"}


def test_the_programs_scheduler_goes_on():
    with staged(Exchange("Adam", NEW)):
        treated = train(sgd, schedule=cosine)
    assert same(treated, train(adam, schedule=cosine))
    assert not same(treated, train(adam))


def test_the_rate_is_that_of_the_program_where_none_is_given():
    with staged(Exchange("Adam")):
        treated = train(lambda ps: torch.optim.SGD(ps, 0.01), schedule=cosine)
    assert same(treated, train(lambda ps: torch.optim.Adam(ps, 0.01), schedule=cosine))


def test_a_schedule_with_a_rate_of_its_own_peaks_at_the_given_rate():
    def cycle(top):
        return lambda optimizer: lr_scheduler.OneCycleLR(optimizer, top, total_steps=9, cycle_momentum=False)

    with staged(Exchange("Adam", 0.25)):
        treated = train(lambda ps: torch.optim.SGD(ps, 0.001), schedule=cycle(2.0))
    assert same(treated, train(adam, schedule=cycle(0.25)))


def test_groups_keep_their_proportions():
    def groups(parameters):
        return [{"params": parameters[:2]}, {"params": parameters[2:], "lr": OLD / 4}]

    def wanted(parameters):
        return [{"params": parameters[:2]}, {"params": parameters[2:], "lr": NEW / 4}]

    with staged(Exchange("Adam", NEW)):
        treated = train(lambda ps: sgd(groups(ps)))
    assert same(treated, train(lambda ps: adam(wanted(ps))))


def test_weight_decay_is_the_programs_unless_it_is_given():
    def decays(parameters):
        return torch.optim.SGD(parameters, OLD, weight_decay=0.25)

    with staged(Exchange("Adam", NEW)):
        kept = train(decays)
    assert same(kept, train(lambda ps: torch.optim.Adam(ps, NEW, weight_decay=0.25)))
    with staged(Exchange("Adam", NEW, {"weight_decay": 0.5})):
        given = train(decays)
    assert same(given, train(lambda ps: torch.optim.Adam(ps, NEW, weight_decay=0.5)))


def test_it_goes_together_with_other_remedies():
    remedies = (Exchange("Adam", NEW), LearningRate(4.0), WeightDecay(0.25), Clipping(0.1))
    with staged(*remedies) as stage:
        treated = train(sgd)

    def clip(optimizer, step):
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 0.1)

    wanted = train(lambda ps: torch.optim.Adam(ps, 4 * NEW, weight_decay=0.25), before_step=clip)
    assert same(treated, wanted)
    assert stage.applied >= {"optimizer", "weight-decay", "clipping"}


@pytest.mark.parametrize("name", ["Adam", "Adagrad"])
def test_parameters_that_come_later_are_trained(name):
    def grown(make):
        net = network()
        first, last = net[0], net[2]
        optimizer = make(first.parameters())
        for step in range(6):
            if step == 3:
                optimizer.add_param_group({"params": last.parameters()})
            net.zero_grad()
            net(torch.ones(2, 4)).square().sum().backward()
            optimizer.step()
        return [p.detach() for p in net.parameters()]

    with staged(Exchange(name, NEW)):
        treated = grown(sgd)
    assert not torch.equal(treated[2], network()[2].weight)
    if name == "Adam":  # torch's own Adagrad takes no parameters later
        assert same(treated, grown(adam))


def test_hooks_see_every_step_once_and_with_the_programs_optimizer():
    seen = []
    with staged(Exchange("Adam", NEW)):
        handles = [
            register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: seen.append(("before", optimizer))),
            register_optimizer_step_post_hook(lambda optimizer, args, kwargs: seen.append(("after", optimizer))),
        ]
        optimizers = []
        train(lambda ps: optimizers.append(sgd(ps)) or optimizers[0], schedule=cosine, steps=2)
        for handle in handles:
            handle.remove()
    assert seen == [("before", optimizers[0]), ("after", optimizers[0])] * 2
    assert type(optimizers[0]) is torch.optim.SGD


def test_nobody_is_told_of_a_second_optimizer():
    made = []

    class Noting(Exchange):
        def apply(self, stage):
            super().apply(stage)
            stage.when_optimizer_made(made.append)

    with staged(Noting("Adam", NEW)):
        train(sgd)
    assert len(made) == 1


def test_a_state_can_be_saved_and_loaded():
    with staged(Exchange("Adam", NEW)):
        net = network()
        optimizer = sgd(net.parameters())
        for _ in range(3):
            net.zero_grad()
            net(torch.ones(2, 4)).sum().backward()
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        assert optimizer.state_dict()["param_groups"][0]["lr"] == OLD
        assert "SGD" in repr(optimizer)


def test_a_grad_scaler_works_with_it():
    def scaled(make):
        net = network()
        optimizer, scaler = make(net.parameters()), torch.amp.GradScaler("cpu", init_scale=256.0)
        for step in range(3):
            optimizer.zero_grad()
            scaler.scale(net(torch.ones(2, 4)).sum() * (float("inf") if step == 1 else 1.0)).backward()
            scaler.step(optimizer)
            scaler.update()
        return [p.detach() for p in net.parameters()]

    with staged(Exchange("Adam", NEW)):
        treated, fused = scaled(sgd), scaled(lambda ps: torch.optim.SGD(ps, OLD, fused=True))
    assert same(treated, scaled(adam))
    assert same(fused, treated)


def test_the_optimizer_is_freed_with_the_program():
    import weakref

    with staged(Exchange("Adam", NEW)):
        optimizer = sgd(network().parameters())
        reference = weakref.ref(optimizer)
        del optimizer
        gc.collect()
    assert reference() is None


def test_the_same_algorithm_is_no_exchange():
    with staged(Exchange("SGD")) as stage:
        train(sgd)
    assert stage.applied == set()
    assert stage.why_not == {"optimizer": "its optimizer is SGD already"}


def test_algorithms_of_another_kind_are_refused():
    with pytest.raises(UsageError, match="LBFGS"):
        Exchange("LBFGS")


def test_it_can_be_counted_among_others_and_written_down():
    remedy = Exchange("SGD", 0.1, {"momentum": 0.9, "nesterov": True})
    assert remedy.label == "SGD, lr 0.1, momentum 0.9, nesterov True"
    values = remedy.to_json()
    assert values.pop("kind") == "optimizer"
    assert Exchange(**values) == remedy
    assert len({remedy, Exchange(**values)}) == 1


@pytest.mark.parametrize(
    ("old", "new", "exchange"),
    [
        (
            "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
            "torch.optim.Adam(model.parameters(), lr=0.001)",
            Exchange("Adam", 1e-3),
        ),
        (
            "optim.SGD(model.parameters(), lr=args.lr, weight_decay=wd)",
            "optim.AdamW(model.parameters(), lr=args.lr, weight_decay=wd)",
            Exchange("AdamW"),
        ),
        (
            "SGD(model.parameters())",
            "optim.AdamW(model.parameters(), lr=0.01, weight_decay=0)",
            Exchange("AdamW", 1e-2),
        ),
        (
            "torch.optim.SGD(\n    model.parameters(),\n    lr=0.1,\n)",
            "torch.optim.SGD(\n     model.parameters(),\n     lr=0.1,\n+    momentum=0.9,\n+    nesterov=True,\n )",
            Exchange("SGD", 0.1, {"momentum": 0.9, "nesterov": True}),
        ),
    ],
)
def test_the_edit_writes_the_other_call(tmp_path, old, new, exchange):
    edit = exchange.edit(run_of(f"import torch\noptimizer = {old}\n{IMPORTS}", tmp_path, line=2))
    assert f"optimizer = {new}\n" in edit.diff
    assert edit.sentence.endswith("in the place of SGD at train.py:2")


def added(edit):
    return [line.rstrip() for line in edit.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_algorithm_of_ours_is_imported(tmp_path, end):
    lines = ["import torch", "from torch import nn", "net = nn.Linear(2, 1)"]
    call = "opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)"
    run = run_of(None, tmp_path, line=5)
    (tmp_path / "train.py").write_bytes(end.join([*lines, "", call, "import os", ""]).encode())
    edit = Exchange("Quickprop", 0.5).edit(run)
    assert added(edit) == ["+import unstuck.optim", "+opt = unstuck.optim.Quickprop(net.parameters(), lr=0.5)"]
    assert edit.diff.index("+import unstuck.optim") < edit.diff.index(" net = ")
    assert edit.diff.count("\r") == (edit.diff.count("\n") - 3 if end == "\r\n" else 0)
    assert edit.sentence.startswith("write unstuck.optim.Quickprop(..., lr=0.5) in the place of SGD at train.py:5")
    assert edit.sentence.endswith(", and import unstuck.optim")


def test_an_import_is_written_once_and_only_at_the_top_level(tmp_path):
    call = "torch.optim.SGD(ps)\n"
    imported = Exchange("Quickprop", 0.5).edit(run_of(f"import torch, unstuck.optim\n{call}", tmp_path, line=2))
    assert added(imported) == ["+unstuck.optim.Quickprop(ps, lr=0.5)"]
    inside = run_of(f"def make(ps):\n    import torch\n    return {call}", tmp_path, line=3)
    assert Exchange("Quickprop", 0.5).edit(inside).diff == ""


@pytest.mark.parametrize(
    "call", ["SGD(model.parameters())", "optim.SGD(ps, 0.1)", "optim.SGD(ps, **more)", "mine.SGD(ps)", "make(ps)"]
)
def test_a_call_that_is_not_plain_gets_words_only(tmp_path, call):
    edit = Exchange("Adam", 1e-3).edit(run_of(f"optimizer = {call}\n", tmp_path))
    assert edit.diff == ""
    assert edit.sentence == "write torch.optim.Adam(..., lr=0.001) in the place of SGD at train.py:1"
