"""The command line: one file per command, one list of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from unstuck import __version__
from unstuck.cli.check import Check
from unstuck.cli.command import Command, Parser, say
from unstuck.cli.explain import Explain
from unstuck.cli.fix import Fix
from unstuck.cli.lab import Lab
from unstuck.cli.listing import List
from unstuck.cli.report import Report
from unstuck.cli.run import Run
from unstuck.cli.watch import Watch
from unstuck.errors import UnstuckError, UsageError

#: All commands, in the order of the help page. A new command is one file and one entry here.
COMMANDS: tuple[Command, ...] = (Run(), Fix(), Check(), Report(), List(), Watch(), Explain(), Lab())

_DESCRIPTION = """\
Find out why a PyTorch training program is slow or stuck, without changing it.

Put 'unstuck run --' before the command that starts the training. The program runs as always; at the end, unstuck says
in the terminal and in report.html what slowed it down, at which line of code, and what it cost.
"""
_EXAMPLES = """\
examples:
  unstuck run -- python train.py --epochs 3       watch a training, with all its arguments
  unstuck run -- torchrun --nproc-per-node 2 train.py
  unstuck fix -- python train.py                  watch it, then prove what makes it faster
  unstuck check -- python train.py                its first steps only: is the program right?
  unstuck watch latest                            look at it meanwhile, from another terminal
  unstuck report latest                           read the report again
  unstuck list                                    all runs here
  unstuck explain saddle                          what a difficulty is, and what helps
  unstuck lab                                     the experiments of the literature

'unstuck COMMAND --help' explains a command.
"""


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="unstuck", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"unstuck {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        first, _, rest = (command.__doc__ or "").partition("\n")
        description = first + "\n" + "\n".join(line.removeprefix("    ") for line in rest.splitlines())
        verb = verbs.add_parser(command.name, help=first, description=description, epilog=command.examples)
        command.prepare(verb)
        verb.set_defaults(command=command)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        words: The words after ``unstuck``; None for those of this process.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if words is None else words)
    # What follows the first "--" is the program's, to the letter: argparse never sees it.
    split = words.index("--") if "--" in words else len(words)
    parser = build_parser()
    try:
        _check_verb(words)
        arguments, unknown = parser.parse_known_args(words[:split])
        if unknown:
            prog = f"unstuck {arguments.verb}" if arguments.verb else "unstuck"
            raise UsageError(f"'{prog}' does not know {' '.join(unknown)}; '{prog} --help' shows what it knows")
        if arguments.verb is None:
            parser.print_help()
            return 0
        _give_rest(arguments, words[split:])
        code = int(arguments.command.run(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()  # here a reader that has gone can be dealt with; at exit it is too late
        return code
    except UnstuckError as error:
        say(str(error))
        return error.exit_code
    except BrokenPipeError:  # "unstuck list | head": the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _check_verb(words: Sequence[str]) -> None:
    names = [command.name for command in COMMANDS]
    if words and words[0] not in names and (words[0] == "--" or not words[0].startswith("-")):
        known = ", ".join(names)
        raise UsageError(
            f"there is no command {words[0]!r} (there are {known}); to watch a program: unstuck run -- COMMAND"
        )


def _give_rest(arguments: argparse.Namespace, rest: list[str]) -> None:
    """Hand the words from ``--`` on to a command that runs programs.

    ``--`` is ours only if the program has not begun before it: ``run python x.py -- y`` runs ``python x.py -- y``.
    """
    if hasattr(arguments, "program"):
        arguments.program += rest if arguments.program else rest[1:]
    elif rest:
        verb = f"unstuck {arguments.verb}"
        raise UsageError(f"'{verb}' runs no program, so '--' means nothing here; '{verb} --help' shows how")
