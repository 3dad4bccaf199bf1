"""One trial in a process of its own: started, watched, ended where it must be, and read for how it went."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from unstuck.attach.launcher import program_environment
from unstuck.record import manifest
from unstuck.record.folder import program_name
from unstuck.settings import Settings
from unstuck.trials.engines.ending import Ending, classify
from unstuck.trials.inside.lifeline import VARIABLE
from unstuck.trials.spec import Result, Trial, write_result, write_spec

Process = subprocess.Popen[bytes]

#: Seconds between two looks at a trial, and between the request to end and the end by force.
_INTERVAL, _GRACE = 0.1, 3.0


class Stopped(Exception):
    """The trial was ended because the race was; it has no result."""


def run_trial(trial: Trial, environment: Mapping[str, str], stop: threading.Event | None = None) -> Result:
    """Run one trial to its end.

    Args:
        trial: The trial; its folder is made anew.
        environment: The environment of the user's program.
        stop: Set by another thread to end the trial.

    Returns:
        How it ended, as written to its ``result.json``.

    Raises:
        Stopped: ``stop`` was set.
    """
    settings = Settings(run_dir=trial.folder.absolute(), probes=False, trial=True)
    _clear(trial.folder)
    write_spec(trial)
    manifest.begin(settings, trial.command, program_name(trial.command))
    ending = _run(trial, program_environment(settings, environment), stop or threading.Event())
    name = signal.Signals(-ending.code).name if ending.code < 0 else None
    exit_code = 128 - ending.code if ending.code < 0 else ending.code
    manifest.finish(trial.folder, exit_code=exit_code, signal=name, seconds=ending.seconds)
    result = classify(trial, ending)
    write_result(trial.folder, result)
    return result


def shared_environment(environment: Mapping[str, str], slots: int) -> dict[str, str]:
    """Return the environment of a trial that shares the machine's cores with others.

    Args:
        environment: The user's environment; what it says of threads holds.
        slots: Trials that run at the same time.
    """
    threads = {"OMP_NUM_THREADS": str(max(1, cores() // slots))} if slots > 1 else {}
    # Arms are paired: the order of sets of words is to be the same in all of them.
    return {"PYTHONHASHSEED": "0", **threads, **environment}


def cores() -> int:
    """Return the number of cores that this process may use."""
    with contextlib.suppress(AttributeError):  # macOS does not tell
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _clear(folder: Path) -> None:
    """Remove what an earlier attempt has left; its record would be taken for this one's."""
    if folder.is_dir():
        shutil.rmtree(folder)


def _run(trial: Trial, environment: Mapping[str, str], stop: threading.Event) -> Ending:
    began = time.monotonic()
    try:
        output = trial.folder / "output.txt"
        with output.open("wb") as file, started(trial.command, environment, file) as process:
            hung = _watch(process, began + trial.spec.seconds, stop)
    except OSError as error:
        return Ending(127, time.monotonic() - began, problem=f"{trial.command[0]}: {error.strerror}")
    if stop.is_set():
        raise Stopped
    return Ending(process.returncode, time.monotonic() - began, hung)


@contextlib.contextmanager
def _lifeline() -> Iterator[str]:
    """Keep a named pipe open for writing: when this process ends, or the trial, all that read from it end too."""
    path = Path(tempfile.gettempdir(), f"unstuck-{secrets.token_hex(8)}")  # a shared folder may not take a pipe
    os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR)  # no child inherits it
    try:
        yield str(path)
    finally:
        os.close(descriptor)
        path.unlink()


@contextlib.contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | int) -> Iterator[Process]:
    """Start a process in a session of its own, with a lifeline; at the exit, nothing of that is left.

    Args:
        command: The command line, word by word.
        environment: Its environment.
        output: Where all that it prints goes, as ``subprocess`` takes it.

    Yields:
        The process.

    Raises:
        OSError: It cannot be started.
    """
    with _lifeline() as line:
        process = subprocess.Popen(
            list(command),
            env={**environment, VARIABLE: line},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)
            if process.stdout is not None:
                process.stdout.close()


def _watch(process: Process, deadline: float, stop: threading.Event) -> bool:
    """Wait for the end of a process; returns whether the time was up before."""
    while not stop.is_set():
        if time.monotonic() >= deadline:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_INTERVAL)
            return False
    return False


def _end(process: Process) -> None:
    """End a process and all that it has started and left behind, first politely; its session holds nothing else."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; macOS says the latter of a zombie
        os.killpg(group, number)
