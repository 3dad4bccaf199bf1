"""Ends the processes of a trial when the trial is over or the driver is gone, however it went: no orphan trains on."""

from __future__ import annotations

import os
import signal
import threading

#: Variable that holds the path of a named pipe that the driver keeps open for writing as long as the trial may run.
#: It has a name so that processes find it that inherit no descriptors, such as the workers of ``torchrun``.
VARIABLE = "UNSTUCK_LIFELINE"


def hold() -> None:
    """Watch the driver's pipe in a thread that sleeps until the driver closes it; does nothing where there is none."""
    try:
        # Without waiting for a writer: one that is gone already is what we are looking for.
        descriptor = os.open(os.environ[VARIABLE], os.O_RDONLY | os.O_NONBLOCK)
    except (KeyError, OSError):
        return
    os.set_blocking(descriptor, True)
    threading.Thread(target=_wait, args=(descriptor,), name="unstuck-lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    while True:
        try:
            if os.read(descriptor, 1):
                continue
        except InterruptedError:
            continue
        except OSError:
            return  # the program has closed it
        # A trial has a process group of its own: its helpers are ended too, whatever they are.
        os.killpg(os.getpgrp(), signal.SIGKILL)
