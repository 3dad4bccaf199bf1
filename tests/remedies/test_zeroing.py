"""The gradients of a step cleared after it."""

from __future__ import annotations

import pytest
import torch

from tests.difficulties.records import STEP
from tests.remedies.training import run_of, same, staged, train
from unstuck.remedies.zeroing import Zeroing


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.5)


def test_it_equals_a_program_that_zeroes_its_gradients():
    with staged(Zeroing()) as stage:
        treated = train(sgd, zeroes=False)
    assert same(treated, train(sgd))
    assert not same(treated, train(sgd, zeroes=False))
    assert stage.applied == {"zeroing"}


def test_a_program_that_leaves_no_gradients_needs_it_not():
    with staged(Zeroing()) as stage:
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=1.0)
        weight.grad = torch.ones(1)
        optimizer.register_step_post_hook(lambda *_: optimizer.zero_grad())
        optimizer.step()
    assert stage.applied == set()
    assert stage.why_not == {"zeroing": "no gradients are left after a step"}


def program(step):
    return "for inputs, targets in loader:\n" + "    pass\n" * (STEP - 2) + f"{step}\n    print()\n"


@pytest.mark.parametrize("name", ["optimizer", "self.optim"])
def test_the_edit_writes_the_call_after_the_step(tmp_path, name):
    edit = Zeroing().edit(run_of(program(f"    {name}.step()"), tmp_path))
    assert edit.sentence == f"write optimizer.zero_grad() after the step at train.py:{STEP}"
    assert edit.diff.splitlines()[-3:] == [f"     {name}.step()", f"+    {name}.zero_grad()", "     print()"]


@pytest.mark.parametrize("step", ["    scaler.step(optimizer)", "    if last: optimizer.step()", "    (syntax error"])
def test_a_step_that_is_not_plain_gets_words_only(tmp_path, step):
    edit = Zeroing().edit(run_of(program(step), tmp_path))
    assert edit.diff == ""
    assert (edit.file, edit.line) == ("train.py", STEP)


def test_a_step_that_was_not_seen_has_no_place():
    run = run_of()
    run.events = []
    edit = Zeroing().edit(run)
    assert edit.sentence == "write optimizer.zero_grad() after the optimizer's step"
    assert edit.file is None
