"""What a command of ``unstuck`` is, and the parser that reads its words."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn, Protocol

from unstuck.errors import UsageError


class Command(Protocol):
    """One verb of the command line. The first line of its docstring is its help; its examples end the help page."""

    name: str
    examples: str

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do what was asked for and return the exit code."""
        ...


class Parser(argparse.ArgumentParser):
    """An argument parser that answers wrong usage with one sentence instead of a page."""

    def __init__(self, **options: object) -> None:
        options = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False, **options}
        super().__init__(**options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and which command explains it.

        Args:
            message: What ``argparse`` found.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{message}; '{self.prog} --help' shows how")


def say(text: str) -> None:
    """Write a line of ours to standard error; standard output is the program's. A closed one is no reason to fail."""
    try:
        print(f"unstuck: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  (or Python complains once more at exit)
