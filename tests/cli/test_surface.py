"""The command line is a promise: whoever changes it changes this file, and CHANGELOG.md, on purpose."""

from __future__ import annotations

import argparse
import re

import pytest

from unstuck import __version__
from unstuck.cli import COMMANDS, build_parser, main

SURFACE = {
    "run": {"--budget", "--dir", "--fail-on", "--floor", "--no-probes", "--quiet", "program"},
    "fix": {
        "--dir",
        "--engine",
        "--metric",
        "--quiet",
        "--resume",
        "--seeds",
        "--slots",
        "--target",
        "--trials-budget",
        "program",
    },
    "check": {"--dir", "--json", "--junit", "--quiet", "--timeout", "program"},
    "report": {"--fail-on", "--format", "which"},
    "list": {"--json", "where"},
    "watch": {"which"},
    "explain": {"--json", "--markdown", "which"},
}


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def test_the_commands_and_their_arguments_are_frozen():
    found = {
        verb: {name for action in parser._actions for name in action.option_strings or [action.dest]} - {"-h", "--help"}
        for verb, parser in verbs().items()
    }
    assert found == SURFACE


def test_every_command_is_in_the_list_once():
    assert [command.name for command in COMMANDS] == list(SURFACE)


@pytest.mark.parametrize("verb", SURFACE)
def test_help_explains_every_argument_and_ends_with_examples(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for option in SURFACE[verb]:
        if option.startswith("--"):
            assert re.search(rf"^  {option}\b.*\n?.*\w", text, re.MULTILINE)
    examples = re.findall(rf"unstuck {verb}\b[^\n]*", text.partition("examples:")[2])
    assert len(examples) >= 2
    assert max(len(line) for line in text.splitlines()) <= 120


def test_help_of_all_lists_every_command(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    for verb in SURFACE:
        assert re.search(rf"^ +{verb} +[A-Z]", text, re.MULTILINE)


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"unstuck {__version__}\n"
