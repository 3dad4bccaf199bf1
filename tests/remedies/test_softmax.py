"""A softmax over the wrong axis, or over a single unit."""

from __future__ import annotations

import inspect

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.remedies.training import IMPORTS, run_of, staged
from unstuck.errors import UsageError
from unstuck.remedies.softmax import MendSoftmax

FILE = "tests/remedies/test_softmax.py"
SCORES = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


def function(x):
    return torch.softmax(x, dim=0)


def functional(x):
    return F.log_softmax(x, 0)


def method(x):
    return x.softmax(0)


def line_of(made):
    return inspect.getsourcelines(made)[1] + 1


class Net(nn.Module):
    """A network whose outputs pass through something."""

    def __init__(self, after):
        super().__init__()
        self.fc, self.after = nn.Linear(3, 3, bias=False), after
        nn.init.eye_(self.fc.weight)

    def forward(self, x):
        return self.after(self.fc(x))


def module():
    return nn.Softmax(dim=0)


CASES = {
    "function": (lambda: function, line_of(function), "softmax"),
    "functional": (lambda: functional, line_of(functional), "log_softmax"),
    "method": (lambda: method, line_of(method), "softmax"),
    "module": (module, line_of(module), "softmax"),
}


@pytest.mark.parametrize(("after", "line", "name"), CASES.values(), ids=CASES)
def test_it_is_taken_over_the_classes(after, line, name):
    with staged(MendSoftmax(FILE, line, name, 1)) as stage:
        treated = Net(after())(SCORES)
    assert torch.equal(treated, getattr(F, name)(SCORES, 1))
    assert stage.applied == {"softmax"}


@pytest.mark.parametrize(("after", "line", "name"), CASES.values(), ids=CASES)
def test_of_a_single_unit_it_is_a_sigmoid(after, line, name):
    with staged(MendSoftmax(FILE, line, name, None)) as stage:
        treated = Net(after())(SCORES)
    assert torch.equal(treated, torch.sigmoid(SCORES) if name == "softmax" else F.logsigmoid(SCORES))
    assert stage.applied == {"softmax"}


def test_another_line_is_left_alone():
    with staged(MendSoftmax(FILE, 1, "softmax", 1)) as stage:
        assert torch.equal(Net(function)(SCORES), SCORES.softmax(0))
    assert stage.why_not == {"softmax": f"no softmax is called at {FILE}:1"}


@pytest.mark.parametrize(
    ("dim", "before", "after"),
    [
        (1, "p = F.softmax(x, dim=0)", "p = F.softmax(x, dim=1)"),
        (1, "p = torch.softmax(x + 1, args.dim)", "p = torch.softmax(x + 1, 1)"),
        (2, "p = x.softmax(0)", "p = x.softmax(2)"),
        (1, "soft = nn.Softmax(dim=0)", "soft = nn.Softmax(dim=1)"),
        (None, "p = torch.softmax(x, dim=1)", "p = torch.sigmoid(x)"),
        (None, "p = x.softmax(1)", "p = torch.sigmoid(x)"),
        (None, "soft = nn.Softmax(dim=1)", "soft = nn.Sigmoid()"),
    ],
)
def test_the_edit_is_a_diff_where_the_call_is_plain(dim, before, after, tmp_path):
    edit = MendSoftmax("train.py", 1, "softmax", dim).edit(run_of(f"{before}\n{IMPORTS}", tmp_path))
    assert "the softmax at train.py:1" in edit.sentence
    assert f"-{before}\n+{after}\n" in edit.diff


def test_there_are_two_kinds_of_it():
    assert MendSoftmax("a.py", 1, "log_softmax", 1).label == "log_softmax over dimension 1"
    with pytest.raises(UsageError, match="there is no softmax 'softmin'"):
        MendSoftmax("a.py", 1, "softmin", 1)
