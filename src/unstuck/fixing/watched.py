"""The first run of a packed function: watched, in a process of its own, its output passed on and kept."""

from __future__ import annotations

import codecs
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from unstuck.attach.launcher import program_environment
from unstuck.record import manifest
from unstuck.settings import Settings
from unstuck.trials.engines.process import started

#: Seconds between two looks whether a process that prints nothing has ended.
_INTERVAL = 0.1
OUTPUT = "output.txt"


def run_watched(command: Sequence[str], program: str, settings: Settings, *, quiet: bool) -> int:
    """Run a command to its end, as its first run.

    Args:
        command: The command line, word by word.
        program: Short name of the program, for the manifest.
        settings: Settings of the run; what it prints is kept in its folder.
        quiet: Do not pass on what it prints to our standard output, which is a notebook's or a test's.

    Returns:
        Its exit code; minus the number of the signal that killed it.
    """
    manifest.begin(settings, command, program)
    environment = program_environment(settings, os.environ)
    began, code = time.monotonic(), -int(signal.SIGINT)
    with Path(settings.run_dir, OUTPUT).open("wb") as kept, started(command, environment, subprocess.PIPE) as process:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        try:
            for piece in _output(process):
                kept.write(piece)
                if not quiet and sys.stdout is not None:
                    sys.stdout.write(decoder.decode(piece))
                    sys.stdout.flush()
            code = process.wait()
        finally:  # after Ctrl-C too: its process is ended now
            name = signal.Signals(-code).name if code < 0 else None
            seconds = time.monotonic() - began
            manifest.finish(settings.run_dir, exit_code=128 - code if code < 0 else code, signal=name, seconds=seconds)
    return code


def _output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what a process prints until it has ended; what it has left behind may hold the pipe open for longer."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    while True:
        ended = process.poll() is not None
        ready, _, _ = select.select([pipe], [], [], 0.0 if ended else _INTERVAL)
        piece = os.read(pipe, 1 << 16) if ready else b""
        if piece:
            yield piece
        elif ready or ended:
            return
