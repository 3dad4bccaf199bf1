"""Edits: what a person would write, and the diff where the source is plain enough."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.difficulties.records import Record
from tests.remedies.training import run_of
from unstuck.remedies.places import call_at, keyword_edit, read_source, replaced, unified
from unstuck.remedies.sites import listed


def edited(tmp_path, source, line=1, keyword="lr", old=0.1, new="0.3", **more):
    run = run_of(source, tmp_path, line=line, **more)
    return keyword_edit(run, run.optimizers[0], keyword, old=old, new=new)


def added(edit):
    return [line[1:] for line in edit.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]


def test_a_literal_is_replaced(tmp_path):
    edit = edited(tmp_path, "import torch\nopt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)\n", line=2)
    assert edit.sentence == "write lr=0.3 at train.py:2 (it is 0.1)"
    assert (edit.file, edit.line) == ("train.py", 2)
    assert added(edit) == ["opt = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)"]


def test_a_missing_keyword_is_written_behind_the_others(tmp_path):
    source = "opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
    assert added(edited(tmp_path, source, keyword="momentum", old=0, new="0.9")) == [
        "opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)"
    ]


@pytest.mark.parametrize("value", ["args.lr", "LR", "0.1 * size", "rate()"])
def test_a_variable_gets_words_only(tmp_path, value):
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
    ],
)
def test_a_line_that_is_not_plain_gets_words_only(tmp_path, source):
    assert edited(tmp_path, source).diff == ""


@pytest.mark.parametrize("line", [2, 3, 4, 5])
def test_a_call_over_several_lines_is_edited_wherever_it_was_recorded(tmp_path, line):
    source = "# ä\nopt = SGD(\n    net.parameters(),\n    lr=0.1,  # größer?\n)\n"
    edit = edited(tmp_path, source, line=line)
    assert added(edit) == ["    lr=0.3,  # größer?"]


def test_a_keyword_that_is_missing_in_several_lines_is_written_behind_the_last(tmp_path):
    source = "opt = SGD(\n    net.parameters(),\n    lr=0.1,\n)\n"
    assert added(edited(tmp_path, source, keyword="momentum", new="0.9")) == ["    lr=0.1, momentum=0.9,"]


def test_a_source_that_has_changed_since_gets_words_only(tmp_path):
    source = "opt = SGD(net.parameters(), lr=0.1)\n"
    run = run_of(source, tmp_path, manifest={"cwd": str(tmp_path), "started": "2020-01-01T00:00:00+00:00"})
    assert read_source(run, "train.py") is None
    assert keyword_edit(run, run.optimizers[0], "lr", old=0.1, new="0.3").diff == ""
    os.utime(tmp_path / "train.py", (1e9, 1e9))
    assert read_source(run, "train.py") == source


def test_a_source_that_is_not_there_gets_words_only(tmp_path):
    edit = edited(tmp_path, None)
    assert edit.diff == ""
    assert edit.sentence == "write lr=0.3 at train.py:1 (it is 0.1)"
    assert read_source(run_of(), None) is None


def test_an_optimizer_without_a_line_has_a_place_in_words():
    run = run_of(line=0)
    edit = keyword_edit(run, run.optimizers[0], "lr", old=None, new="0.3")
    assert "where the optimizer is made" in edit.sentence
    assert edit.diff == ""


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch command")
@pytest.mark.parametrize("ending", ["\n", ""])
def test_patch_takes_the_diff(tmp_path, ending):
    source = f"import torch\nopt = SGD(net.parameters(), lr=0.1){ending}"
    edit = edited(tmp_path, source, line=2)
    subprocess.run(["patch", "-p1"], input=edit.diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "train.py").read_text() == source.replace("0.1", "0.3")


def test_no_change_is_an_empty_diff():
    assert unified("train.py", "a\n", "a\n") == ""


def test_a_call_is_found_by_its_name_where_a_line_has_several():
    source = "x = outer(inner(1), other(2))\n"
    call = call_at(source, 1, "inner")
    assert call is not None
    assert replaced(source, call, "3") == "x = outer(3, other(2))\n"
    assert call_at(source, 1) is None
    assert call_at(source, 2, "inner") is None
    assert call_at("x = f(1) + f(2)\n", 1, "f") is None
    assert call_at("x = (", 1) is None


def test_expressions_behind_letters_of_several_bytes_are_replaced_where_they_are():
    source = 'print("ä"); x = f(1)\n'
    call = call_at(source, 1, "f")
    assert call is not None
    assert replaced(source, call, "g()") == 'print("ä"); x = g()\n'


def test_layers_of_one_line_are_named_by_it():
    layers = [replace(info, line=30) for info in Record().run().layers]
    assert listed(layers) == "the 3 layers made at train.py:30"
    assert listed([replace(info, line=10 + i) for i, info in enumerate(layers)]).startswith("fc1 (train.py:10), fc2")
