"""Ending a program that takes longer than it may: first politely, then for good."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator

#: Seconds between the request to end and the end by force.
_GRACE = 3.0
_INTERVAL = 0.05


class TimeLimit:
    """Ends a program after some time.

    Args:
        seconds: How long it may take.
        others: Gives the ids of processes that the program has started: a shell or launcher that is ended leaves the
            Python behind it running.

    Attributes:
        reached: Whether the program was ended.
    """

    def __init__(self, seconds: float, others: Callable[[], Iterable[int]] = tuple) -> None:
        self.seconds = seconds
        self.reached = False
        self._others = others
        self._ended = threading.Event()

    @contextlib.contextmanager
    def over(self, pid: int) -> Iterator[None]:
        """While entered, the time counts.

        Args:
            pid: The program's process.

        Yields:
            Once, while the program runs. At the exit, what it has left running is ended too if the time was up.
        """
        watcher = threading.Thread(target=self._watch, args=(pid,), name="unstuck-limit", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._ended.set()
            watcher.join()

    def _watch(self, pid: int) -> None:
        if self._ended.wait(self.seconds):
            return
        self.reached = True
        others = {other for other in self._others() if other != pid and _is_ours(other)}
        if not self._ended.is_set():  # else it has just gone, and its number may be another's by now
            _send(pid, signal.SIGTERM)
        for other in others:
            _send(other, signal.SIGTERM)
        until = time.monotonic() + _GRACE
        while time.monotonic() < until and not (self._ended.is_set() and not any(map(_is_ours, others))):
            time.sleep(_INTERVAL)
        if not self._ended.is_set():
            _send(pid, signal.SIGKILL)
        for other in filter(_is_ours, others):
            _send(other, signal.SIGKILL)


def _is_ours(pid: int) -> bool:
    """Whether a process is there and in our own process group, as a program's are that has not left it."""
    try:
        return os.getpgid(pid) == os.getpgrp() and pid != os.getpid()
    except OSError:
        return False


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
