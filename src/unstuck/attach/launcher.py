"""Runs the program as a shell would: as a child in the same process group, with everything passed through.

Its standard streams, working directory and open files are the launcher's own. Signals reach it as if the launcher were
not there, it can be stopped and continued with Ctrl-Z and ``fg``, and the way it ended is handed back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from unstuck.attach.limit import TimeLimit
from unstuck.errors import UnstuckError
from unstuck.settings import Settings

BOOTSTRAP = Path(__file__).parent / "bootstrap"

_Handler = Callable[[int, FrameType | None], Any] | int | None

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")
# A terminal sends these to every process of its foreground group: the program has them already.
_FROM_KEYBOARD = ("SIGINT", "SIGQUIT", "SIGTSTP")


class NotFound(UnstuckError):
    """There is no such command."""

    exit_code = 127


class NotExecutable(UnstuckError):
    """The command is there, but cannot be run."""

    exit_code = 126


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the program ended.

    Attributes:
        exit_code: As a shell gives it: 128 + N for a program killed by signal N.
        signal: The signal that killed it, or None.
        seconds: Time from start to end.
    """

    exit_code: int
    signal: int | None
    seconds: float


def check_command(command: Sequence[str]) -> None:
    """See whether the command can be run, before anything is written.

    Args:
        command: The command line, word by word.

    Raises:
        NotFound: There is no such command.
        NotExecutable: It is there, but may not be executed.
    """
    word = command[0]
    if shutil.which(word):
        return
    if word.endswith(".py") and Path(word).is_file():
        raise NotExecutable(f"{word} is not executable; 'unstuck run -- python {word}' runs it")
    if os.sep in word and Path(word).exists():
        raise NotExecutable(f"{word} is {'a folder' if Path(word).is_dir() else 'not executable'}")
    raise NotFound(f"command not found: {word}")


def program_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the watched program: the given one, the settings, and our folder on ``PYTHONPATH``.

    Args:
        settings: Settings of the run.
        environment: The launcher's own environment.

    Returns:
        A new mapping. An outer run's folder is taken off ``PYTHONPATH``: the inner run wins.
    """
    ours = str(BOOTSTRAP.absolute())
    suffix = os.path.join("unstuck", "attach", "bootstrap")  # noqa: PTH118
    entries = (environment.get("PYTHONPATH") or "").split(os.pathsep) if environment.get("PYTHONPATH") else []
    rest = [entry for entry in entries if not entry.endswith(suffix)]
    return {**environment, **settings.to_environment(), "PYTHONPATH": os.pathsep.join([ours, *rest])}


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: int | None = None,
    limit: TimeLimit | None = None,
) -> Outcome:
    """Run the program to its end.

    Args:
        command: The command line, word by word.
        environment: The program's environment.
        stdout: Descriptor that its standard output goes to; None for our own.
        limit: Ends it where it takes too long.

    Returns:
        How it ended.

    Raises:
        NotFound: There is no such command, or the interpreter that its first line names is missing.
        NotExecutable: It cannot be executed.
    """
    started = time.monotonic()
    with _Relay() as relay:
        child = _start(command, environment, stdout)
        relay.to(child.pid)
        with limit.over(child.pid) if limit else contextlib.nullcontext():
            status = _wait(child.pid)
        relay.to(None)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if child.returncode < 0:
        return Outcome(128 - child.returncode, -child.returncode, seconds)
    return Outcome(child.returncode, None, seconds)


def die_of(number: int) -> None:
    """End this process by the signal that ended the program, so that whoever waits for us sees the same.

    Args:
        number: The signal. Returns only if the process cannot be ended by it.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the program has left its core dump: no second one
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _start(command: Sequence[str], environment: Mapping[str, str], stdout: int | None) -> subprocess.Popen[bytes]:
    try:
        return _popen(command, environment, stdout)
    except FileNotFoundError:
        raise NotFound(f"{command[0]} cannot be run: it, or the interpreter in its first line, was not found") from None
    except OSError as error:
        if error.errno == errno.ENOEXEC:  # a script without "#!": shells and execvp run it with sh
            return _popen(["/bin/sh", shutil.which(command[0]) or command[0], *command[1:]], environment, stdout)
        raise NotExecutable(f"{command[0]} cannot be run: {error.strerror}") from None


def _popen(command: Sequence[str], environment: Mapping[str, str], stdout: int | None) -> subprocess.Popen[bytes]:
    # close_fds=False: files that the shell opened for the program (3<data) stay open; Python's own are never inherited.
    return subprocess.Popen(list(command), env=dict(environment), close_fds=False, stdout=stdout)


def _wait(pid: int) -> int:
    """Wait for the program's end and return its wait status; when it is stopped, stop as well, as a shell expects."""
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return status
        _stop_by(os.WSTOPSIG(status))


def _stop_by(number: int) -> None:
    if number == signal.SIGSTOP:
        os.kill(os.getpid(), number)
        return
    handler = signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)  # goes on from here after SIGCONT, which the relay passes on
    signal.signal(number, handler)


class _Relay:
    """While it is entered, signals to this process go to the program."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._early: list[int] = []
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> _Relay:
        for name in (*_FORWARDED, *_FROM_KEYBOARD):
            number = getattr(signal, name)
            # What is ignored already ("nohup", a job in the background) stays ignored, by the program too. A handler,
            # unlike SIG_IGN, is not inherited by the program.
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for number in self._early:  # the program has ended: they are meant for us
            os.kill(os.getpid(), number)

    def to(self, pid: int | None) -> None:
        """Name the process that gets the signals; those that came before it was there go to it now."""
        self._pid = pid
        while pid is not None and self._early:
            _send(pid, self._early.pop(0))

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if signal.Signals(number).name in _FROM_KEYBOARD and _in_foreground():
            return
        if self._pid is None:
            self._early.append(number)
        else:
            _send(self._pid, number)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _in_foreground() -> bool:
    """Whether we belong to the foreground group of a terminal, so that a signal such as Ctrl-C's came from its keys."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
