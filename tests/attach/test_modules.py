"""What parameters are called, and which lines are the program's own."""

from __future__ import annotations

import copy
import gc
import os
import sys
import sysconfig

import pytest
import torch
from torch import nn

from unstuck.attach.modules import Modules
from unstuck.attach.sources import Line, is_user_file, shown, user_line


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
        self.head = nn.Linear(2, 1)


def test_parameters_are_called_by_their_path():
    net = Net()
    modules = Modules(scan=True)
    names, owners = modules.names_of(list(net.parameters()))
    assert names == ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
    assert owners[id(net.head.weight)] is net.head


def test_modules_that_never_ran_init_are_found():
    modules = Modules()
    net = copy.deepcopy(Net())
    assert modules.alive() == []
    assert modules.names_of(list(net.parameters()))[0][-1] == "head.bias"


def test_wrappers_leave_no_trace_in_the_names():
    net = torch.compile(Net(), backend="eager")
    assert Modules(scan=True).names_of(list(net.parameters()))[0][0] == "body.0.weight"


def test_tensors_are_called_by_the_variable_that_holds_them():
    alone = torch.zeros(1, requires_grad=True)
    several = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    table = {"bias": torch.zeros(1, requires_grad=True)}
    names, _ = Modules().names_of([alone, *several, table["bias"], torch.zeros(1)], sys._getframe())
    assert names == ["alone", "several[0]", "several[1]", "table['bias']", "parameter4"]


def test_names_are_unique():
    nets = [Net(), Net()]
    names, _ = Modules(scan=True).names_of([p for net in nets for p in net.head.parameters()])
    assert names == ["head.weight", "head.bias", "head.weight#2", "head.bias#2"]


def test_what_is_gone_is_forgotten():
    modules = Modules()
    net = Net()
    for module in net.modules():
        modules.note(module)
    assert len(modules.alive()) == 5
    del net, module
    gc.collect()
    assert modules.alive() == []
    assert modules._made == {}


def test_a_module_knows_its_line():
    modules = Modules()
    net = Net()
    modules.note(net)
    line = modules.line_of(net)
    assert line is not None
    assert line.file.endswith("test_modules.py")
    assert modules.line_of(Net()) is None


def test_the_innermost_line_of_the_program_counts():
    found: list[Line | None] = []
    torch.utils._pytree.tree_map(lambda _: found.append(user_line()), [1])
    assert found[0] is not None
    assert found[0].file.endswith("test_modules.py")
    assert found[0].line == user_line().line - 3


@pytest.mark.parametrize(
    ("file", "users"),
    [
        (__file__, True),
        (torch.__file__, False),
        (os.__file__, False),
        (os.path.join(sysconfig.get_paths()["purelib"], "anything.py"), False),  # noqa: PTH118
        ("<string>", False),
        ("<frozen importlib._bootstrap>", False),
        ("<ipython-input-3-abc>", True),
    ],
)
def test_whose_code_it_is(file, users):
    assert is_user_file(file) is users


def test_files_are_shown_from_where_the_program_started(tmp_path):
    assert shown(str(tmp_path / "x.py")) == str(tmp_path / "x.py")
    assert shown(os.path.join(os.getcwd(), "a", "x.py")) in ("a/x.py", os.path.join(os.getcwd(), "a", "x.py"))  # noqa: PTH109, PTH118
