"""Edits of the optimizer's line: what a person would write, and the diff where the source is plain enough."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from tests.difficulties.records import Record
from tests.remedies.training import IMPORTS, run_of
from unstuck.remedies.editing import read_source
from unstuck.remedies.places import keyword_edit
from unstuck.remedies.sites import listed


def edited(tmp_path, source, line=1, keyword="lr", new="0.3", old=0.1, **more):
    run = run_of(source + IMPORTS if source is not None else None, tmp_path, line=line, **more)
    run.optimizers[0].groups[0].update({keyword: old} if old is not None else {})
    return keyword_edit(run, {keyword: lambda group: new}, new)


def added(edit):
    return [line[1:] for line in edit.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]


def test_a_literal_is_replaced(tmp_path):
    edit = edited(tmp_path, "#\nopt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)\n", line=2)
    assert edit.sentence == "write lr=0.3 at train.py:2 (it is 0.1)"
    assert (edit.file, edit.line) == ("train.py", 2)
    assert added(edit) == ["opt = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)"]


def test_a_missing_keyword_is_written_behind_the_others(tmp_path):
    source = "opt = SGD(net.parameters(), lr=0.1)\n"
    assert added(edited(tmp_path, source, keyword="momentum", new="0.9", old=0)) == [
        "opt = SGD(net.parameters(), lr=0.1, momentum=0.9)"
    ]


def test_a_value_by_position_is_replaced(tmp_path):
    source = "opt = SGD(net.parameters(), 0.1, 0.5)\n"
    assert added(edited(tmp_path, source)) == ["opt = SGD(net.parameters(), 0.3, 0.5)"]
    momentum = edited(tmp_path, source, keyword="momentum", new="0.9", old=0.5)
    assert added(momentum) == ["opt = SGD(net.parameters(), 0.1, 0.9)"]


@pytest.mark.parametrize("value", ["args.lr", "LR", "0.1 * size", "rate()", "0.2"])
def test_a_value_that_is_not_that_of_the_run_gets_words_only(tmp_path, value):
    edit = edited(tmp_path, f"opt = SGD(net.parameters(), lr={value})\n")
    assert edit.diff == ""
    assert edit.sentence == "write lr=0.3 at train.py:1 (it is 0.1)"


@pytest.mark.parametrize(
    "source",
    [
        "opt = SGD(net.parameters(), **options)\n",
        "opt = make(net.parameters())\n",
        "opts = SGD(a, lr=0.1), SGD(b, lr=0.1)\n",
        "opt = SGD(net.parameters(\n",
        "x = 1\n",
        "opt = SGD(p for p in net.parameters())\n",
        "opt = SGD(net.parameters(), lr=0.1)\nopt.param_groups[0]['lr'] = 1\n",
        "opt = SGD(net.parameters(), lr=0.1)\ns = optim.lr_scheduler.OneCycleLR(opt, 0.1)\n",
        "opt = SGD([{'params': a, **more}, {'params': b}], lr=0.1)\n",
    ],
)
def test_a_line_that_is_not_plain_gets_words_only(tmp_path, source):
    assert edited(tmp_path, source).diff == ""


@pytest.mark.parametrize("line", [2, 3, 4, 5])
def test_a_call_over_several_lines_is_edited_wherever_it_was_recorded(tmp_path, line):
    source = "# ä\nopt = SGD(\n    net.parameters(),\n    lr=0.1,  # größer?\n)\n"
    edit = edited(tmp_path, source, line=line)
    assert added(edit) == ["    lr=0.3,  # größer?"]


def test_a_keyword_that_is_missing_in_several_lines_gets_its_own(tmp_path):
    source = "opt = SGD(\n    net.parameters(),\n    lr=0.1,\n)\n"
    assert added(edited(tmp_path, source, keyword="momentum", new="0.9", old=0)) == ["    momentum=0.9,"]


def test_a_constant_is_changed_where_it_is_set_if_nothing_else_uses_it(tmp_path):
    source = "opt = SGD(net.parameters(), lr=RATE)\nRATE = 0.1\n"
    assert added(edited(tmp_path, source)) == ["RATE = 0.3"]
    assert edited(tmp_path, source + "print(RATE)\n").diff == ""


def test_a_source_that_has_changed_since_gets_words_only(tmp_path):
    source = "opt = SGD(net.parameters(), lr=0.1)\n"
    run = run_of(source, tmp_path, manifest={"cwd": str(tmp_path), "started": "2020-01-01T00:00:00+00:00"})
    assert read_source(run, "train.py") is None
    os.utime(tmp_path / "train.py", (1e9, 1e9))
    found = read_source(run, "train.py")
    assert found is not None
    assert found.data.decode() == source


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfx = 1\n", b"x = '\xe4'\n", b"x = (\n"])
def test_a_source_that_is_no_plain_python_is_not_read(tmp_path, data):
    run = run_of("", tmp_path)
    (tmp_path / "train.py").write_bytes(data)
    assert read_source(run, "train.py") is None
    assert read_source(run, "other.py") is None


def test_an_optimizer_without_a_line_has_a_place_in_words():
    edit = keyword_edit(run_of(line=0), {"lr": lambda group: "0.3"})
    assert "where the optimizer is made" in edit.sentence
    assert edit.diff == ""


@pytest.mark.parametrize("apply", [["git", "apply"], ["patch", "-p1"]])
@pytest.mark.parametrize("ending", ["\n", ""])
def test_programs_that_patch_take_the_diff(tmp_path, apply, ending):
    source = f"from torch.optim import SGD\nx = '\x0c'\nopt = SGD(net.parameters(), lr=0.1){ending}"
    run = run_of(source, tmp_path, line=3)
    run.optimizers[0].groups[0]["lr"] = 0.1
    edit = keyword_edit(run, {"lr": lambda group: "0.3"})
    subprocess.run(apply, input=edit.diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "train.py").read_text() == source.replace("0.1", "0.3")


def test_line_ends_stay_as_they_are_and_git_takes_a_folder_below_a_repository(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    folder = tmp_path / "a folder"
    folder.mkdir()
    source = "from torch.optim import SGD\r\nopt = SGD(\r\n    net.parameters(),\r\n    lr=0.1,\r\n)\r\n"
    run = run_of(None, folder, line=2)
    (folder / "train.py").write_bytes(source.encode())
    edit = keyword_edit(run, {"momentum": lambda group: "0.9"})
    subprocess.run(["git", "apply"], input=edit.diff.encode(), cwd=folder, check=True, capture_output=True)
    assert (folder / "train.py").read_bytes().decode() == source.replace(
        "    lr=0.1,\r\n", "    lr=0.1,\r\n    momentum=0.9,\r\n"
    )


def test_a_file_outside_of_the_folder_gets_no_diff(tmp_path):
    run = run_of("opt = SGD(net.parameters(), lr=0.1)\n" + IMPORTS, tmp_path)
    run.optimizers[0] = replace(run.optimizers[0], file=str(tmp_path / "train.py"))
    run.optimizers[0].groups[0]["lr"] = 0.1
    edit = keyword_edit(run, {"lr": lambda group: "0.3"})
    assert edit.replacements
    assert edit.diff == ""


def test_layers_of_one_line_are_named_by_it():
    layers = [replace(info, line=30) for info in Record().run().layers]
    assert listed(layers) == "the 3 layers made at train.py:30"
    assert listed([replace(info, line=10 + i) for i, info in enumerate(layers)]).startswith("fc1 (train.py:10), fc2")
