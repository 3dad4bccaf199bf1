"""Trials as processes of this machine, a few at a time."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from unstuck.errors import UsageError
from unstuck.trials.engines.process import Stopped, cores, run_trial, shared_environment
from unstuck.trials.spec import Result, Trial

#: Slots at most where the user does not say: memory runs out before cores do.
_MOST = 8


class LocalEngine:
    """Runs trials on this machine.

    Args:
        slots: Trials that run at the same time. None for one per GPU, or without any one per core, up to eight.

    Raises:
        UsageError: The number is below 1.
    """

    def __init__(self, slots: int | None = None) -> None:
        if slots is not None and slots < 1:
            raise UsageError(f"slots is the number of trials that run at the same time, 1 or more; got {slots}")
        devices = visible_devices()
        self._slots = slots or len(devices) or min(cores(), _MOST)
        self._devices = [devices[slot % len(devices)] if devices else "" for slot in range(self._slots)]

    @property
    def slots(self) -> int:
        """How many trials run at the same time."""
        return self._slots

    def run(self, trials: Sequence[Trial]) -> Generator[tuple[Trial, Result], None, None]:
        """Run trials and yield them as they end.

        Args:
            trials: The trials.

        Yields:
            A trial and how it ended.
        """
        free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for device in self._devices:
            free.put(device)
        stop = threading.Event()
        environment = shared_environment(os.environ, self._slots)

        def run_on_a_free_device(trial: Trial) -> Result:
            if stop.is_set():
                raise Stopped
            device = free.get()
            try:
                return run_trial(trial, {**environment, **_choice(device)}, stop)
            finally:
                free.put(device)

        with ThreadPoolExecutor(self._slots, thread_name_prefix="unstuck-trial") as pool:
            try:
                futures = {pool.submit(run_on_a_free_device, trial): trial for trial in trials}
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                stop.set()  # the pool waits for its threads, and they end their processes
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Do nothing: nothing is held between two calls of :meth:`run`."""


def visible_devices() -> list[str]:
    """Return the GPUs that programs may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]


def _choice(device: str) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": device} if device else {}
