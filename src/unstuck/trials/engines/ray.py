"""Trials on a Ray cluster whose machines share the folder of the runs and have the user's program at the same path."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from importlib import import_module
from typing import Any

from unstuck.errors import UsageError
from unstuck.trials.engines.process import run_trial, shared_environment
from unstuck.trials.spec import Result, Trial

#: Seconds that tasks have to end their trials.
_GRACE = 10.0


class RayEngine:
    """Runs trials as tasks of a Ray cluster, each on one GPU where the cluster has any, else on one core.

    Args:
        address: Address of the cluster; None for the one that ``RAY_ADDRESS`` names, else one on this machine.
        slots: Trials that run at the same time on a cluster on this machine; None for one per core.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address: str | None = None, slots: int | None = None) -> None:
        try:
            ray: Any = import_module("ray")  # by its name: it is an extra, and large
        except ImportError:
            message = "the engine 'ray' needs Ray, which is not installed; pip install 'unstuck[ray]' installs it"
            raise UsageError(message) from None
        self._ray = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            self._join(address, slots)
        resources: Mapping[str, float] = ray.cluster_resources()
        self._kind = "GPU" if resources.get("GPU", 0) >= 1 else "CPU"
        self._slots = max(1, int(resources.get(self._kind, 1)))
        amount = {"num_gpus": 1} if self._kind == "GPU" else {"num_cpus": 1}
        self._task = ray.remote(max_retries=1, **amount)(_run)

    def _join(self, address: str | None, slots: int | None) -> None:
        own = address is None and not os.environ.get("RAY_ADDRESS")
        options = {"num_cpus": slots, "include_dashboard": False} if own else {"address": address}
        try:
            self._ray.init(log_to_driver=False, logging_level="ERROR", **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UsageError(f"the Ray cluster {address or 'on this machine'} cannot be used: {error}") from None

    @property
    def slots(self) -> int:
        """How many trials run at the same time."""
        return self._slots

    def run(self, trials: Sequence[Trial]) -> Generator[tuple[Trial, Result], None, None]:
        """Run trials and yield them as they end.

        Args:
            trials: The trials.

        Yields:
            A trial and how it ended; one whose machine was lost has crashed, and leaves no ``result.json``.
        """
        environment = shared_environment(os.environ, self._slots)
        running = {self._task.remote(trial, environment, os.getcwd()): trial for trial in trials}  # noqa: PTH109
        try:
            while running:
                ended, _ = self._ray.wait(list(running), num_returns=1)
                trial = running.pop(ended[0])
                yield trial, self._result(ended[0])
        finally:
            self._cancel(list(running))

    def close(self) -> None:
        """Leave the cluster, where this engine has joined it."""
        if self._ours:
            self._ray.shutdown()

    def _cancel(self, running: list[Any]) -> None:
        """End trials: first by an exception in their tasks, so that they clean up, then with the tasks' processes."""
        for reference in running:
            self._ray.cancel(reference)
        if running:
            _, running = self._ray.wait(running, num_returns=len(running), timeout=_GRACE)
        for reference in running:
            self._ray.cancel(reference, force=True)

    def _result(self, reference: Any) -> Result:
        try:
            result: Result = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return Result("crashed", 0, 0.0, f"the cluster has lost it: {str(error).splitlines()[0]}")
        return result


def _run(trial: Trial, environment: Mapping[str, str], folder: str) -> Result:
    """Run one trial; called in a worker of the cluster."""
    os.chdir(folder)
    chosen = {name: os.environ[name] for name in ("CUDA_VISIBLE_DEVICES",) if name in os.environ}  # Ray's choice
    return run_trial(trial, {**environment, **chosen})
