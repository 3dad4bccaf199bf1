"""How command lines are read: where the program's words begin, and what is answered to wrong ones."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli.runner import UNSTUCK, environment
from unstuck.cli import Run, main


@pytest.fixture
def seen(monkeypatch, tmp_path):
    """What ``unstuck run`` was asked to do; nothing is run."""
    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Run, "run", lambda self, arguments: calls.append(arguments) or 0)
    return calls


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ("run -- python x.py --budget 3 -h", "python x.py --budget 3 -h"),
        ("run python x.py --budget 3 -h --version", "python x.py --budget 3 -h --version"),
        ("run --quiet python x.py --quiet", "python x.py --quiet"),
        ("run --budget 0.1 python -m x", "python -m x"),
        ("run --budget=0.1 -- python -m x", "python -m x"),
        ("run -- python x.py -- a -- b", "python x.py -- a -- b"),
        ("run python x.py -- a -- b", "python x.py -- a -- b"),
        ("run -- -x", "-x"),
        ("run -- -- x", "-- x"),
        ("run -- run -- x", "run -- x"),
    ],
)
def test_where_the_program_begins(seen, words, program):
    assert main(words.split()) == 0
    assert seen[0].program == program.split()


def test_flags_before_the_program_are_ours(seen):
    main("run --budget 0.1 --floor 3 --no-probes --dir d --fail-on slow --quiet -- x".split())
    (given,) = seen
    assert (given.budget, given.floor, given.probes, given.dir) == ("0.1", "3", False, "d")
    assert (given.fail_on, given.quiet) == ("slow", True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run", "no command to run; for example: unstuck run -- python train.py"),
        ("run --", "no command to run; for example: unstuck run -- python train.py"),
        ("run --quiet", "no command to run; for example: unstuck run -- python train.py"),
        ("run --bugdet 3 -- x", "'unstuck run' does not know --bugdet; 'unstuck run --help' shows what it knows"),
        ("run --budget", "argument --budget: expected one argument; 'unstuck run --help' shows how"),
        ("run --budget 3 -- true", "budget is a share of the run time from 0 to 1, such as 0.03; got 3"),
        ("run --floor -1 -- true", "floor is a number of seconds, 0 or more; got -1"),
        ("run --fail-on bad -- true", "--fail-on is one of unknown, slow, stuck, diverged, wrong; got 'bad'"),
        (
            "python x.py",
            "there is no command 'python' (there are run, fix, check, report, list, watch, explain, lab); "
            "to watch a program: unstuck run -- COMMAND",
        ),
        (
            "-- python x.py",
            "there is no command '--' (there are run, fix, check, report, list, watch, explain, lab); "
            "to watch a program: unstuck run -- COMMAND",
        ),
        ("--nope", "'unstuck' does not know --nope; 'unstuck --help' shows what it knows"),
        ("list a b", "'unstuck list' does not know b; 'unstuck list --help' shows what it knows"),
        ("list -- a", "'unstuck list' runs no program, so '--' means nothing here; 'unstuck list --help' shows how"),
        ("lab zzz", "there is no experiment 'zzz'; 'unstuck lab' lists all"),
        ("lab explodin", "there is no experiment 'explodin'; did you mean exploding? 'unstuck lab' lists all"),
        ("lab exploding --device tpu", "--device is one of cpu, cuda, mps; got 'tpu'"),
        ("lab exploding --seed -1", "--seed is a whole number, 0 or more; got -1"),
        ("report nothing", "there are no runs in unstuck-runs; 'unstuck run -- COMMAND' makes one"),
        ("watch", "there are no runs in unstuck-runs; 'unstuck run -- COMMAND' makes one"),
    ],
)
def test_wrong_usage_is_answered_in_one_sentence(monkeypatch, tmp_path, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"unstuck: {message}\n")
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize(("word", "code"), [("no-such-command", 127), ("./file", 126)])
def test_a_command_that_cannot_run_leaves_nothing_behind(monkeypatch, tmp_path, capsys, word, code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert main(["run", "--", word]) == code
    assert capsys.readouterr().err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_reader_that_has_gone_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [*UNSTUCK, "list", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
