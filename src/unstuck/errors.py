"""The errors that a user can meet."""

from __future__ import annotations


class UnstuckError(Exception):
    """Base of the errors that ``unstuck`` raises on purpose; the command line prints it, exits with ``exit_code``."""

    exit_code = 1


class UsageError(UnstuckError):
    """What was asked for cannot be done as asked; the message says what would."""

    exit_code = 2
