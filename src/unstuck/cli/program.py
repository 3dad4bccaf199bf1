"""Starting the user's program in a run folder, and keeping how it ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from unstuck.attach import launcher
from unstuck.attach.limit import TimeLimit
from unstuck.cli.command import say
from unstuck.record import activity, folder, manifest
from unstuck.settings import Settings


def begin(command: Sequence[str], base: Path, settings_in: Callable[[Path], Settings]) -> Settings:
    """Make the run folder of a program that is about to start.

    Args:
        command: The command line, word by word.
        base: Folder that the runs are kept in.
        settings_in: Gives the settings of the run that is recorded in a folder.

    Returns:
        The settings.

    Raises:
        UsageError: A setting is wrong, or the folder cannot be made.
        NotFound: There is no such command.
        NotExecutable: It cannot be executed.
    """
    # A stand-in for the folder: wrong settings and commands are refused before anything is written.
    settings_in(Path())
    launcher.check_command(command)
    program = folder.program_name(command)
    settings = settings_in(folder.create(base, program))
    manifest.begin(settings, command, program)
    _tell_outer_run(settings.run_dir)
    return settings


def launch(
    command: Sequence[str], settings: Settings, *, stdout: int | None = None, limit: TimeLimit | None = None
) -> launcher.Outcome:
    """Run the program and write its end into the manifest.

    Args:
        command: The command line, word by word.
        settings: Settings of the run.
        stdout: Descriptor that its standard output goes to; None for our own.
        limit: Ends it where it takes too long.

    Returns:
        How it ended.

    Raises:
        NotFound: There is no such command.
        NotExecutable: It cannot be executed.
    """
    environment = launcher.program_environment(settings, os.environ)
    try:
        outcome = launcher.launch(command, environment, stdout=stdout, limit=limit)
    except (launcher.NotFound, launcher.NotExecutable) as error:
        manifest.finish(settings.run_dir, exit_code=error.exit_code, signal=None, seconds=0.0)
        raise
    try:
        name = None if outcome.signal is None else signal.Signals(outcome.signal).name
    except ValueError:  # real-time signals have numbers only
        name = str(outcome.signal)
    try:
        manifest.finish(settings.run_dir, exit_code=outcome.exit_code, signal=name, seconds=outcome.seconds)
    except OSError as error:  # the program has removed the folder, or the disk is full
        say(f"cannot write the end of the run to {settings.run_dir}: {error.strerror}")
    return outcome


def _tell_outer_run(inner: Path) -> None:
    """Tell the run that this process is a part of, if there is one, where the inner run is recorded."""
    outer = os.environ.get("UNSTUCK_RUN_DIR")
    if outer and Path(outer).is_dir():
        activity.note_nested(Path(outer), inner)
