"""``unstuck.watch``: the same watching from inside a program, for notebooks and tests."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from functools import cached_property
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from torch import nn
from torch.optim import Optimizer

from unstuck.attach.attachment import Attachment
from unstuck.errors import UsageError
from unstuck.record import folder as run_folder
from unstuck.record import manifest
from unstuck.record.reader import Run, read_run
from unstuck.settings import BUDGET, FLOOR, Settings

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis, Finding, Verdict


class Watch:
    """A running or finished watch. As a context manager it ends with the block; else call :meth:`stop`.

    Attributes:
        path: The run folder.
    """

    def __init__(self, attachment: Attachment, path: Path) -> None:
        self.path = path
        self._attachment = attachment
        self._started = monotonic()
        atexit.register(self.stop)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._end("exit")
        else:
            self._end("exception", f"{kind.__name__}: {value}"[:500])

    def __repr__(self) -> str:
        return f"<unstuck watch, {'running' if self.running else 'ended'}: {self.path}>"

    @property
    def running(self) -> bool:
        """Whether the training is still watched."""
        return not self._attachment.ended

    def stop(self) -> Watch:
        """End the watch and take every hook out of torch; a second call does nothing."""
        self._end("exit")
        return self

    def _end(self, reason: str, exception: str | None = None) -> None:
        # A forked child inherits the exit handler, but neither the run nor its end is the child's.
        if not self.running or os.getpid() != self._attachment.session.pid:
            return
        atexit.unregister(self.stop)
        self._attachment.end(reason, exception)
        seconds = monotonic() - self._started
        # The code that the same training would have ended with as a program of its own.
        code = 0 if exception is None else 1
        with contextlib.suppress(OSError):  # the folder was removed meanwhile
            manifest.finish(self.path, exit_code=code, signal=None, seconds=seconds)

    @property
    def run(self) -> Run:
        """The record, as far as it was written by now."""
        return read_run(self.path)

    @property
    def diagnosis(self) -> Diagnosis:
        """Verdict, findings and what was not measured, judged from the record as far as it was written by now."""
        return self._judge() if self.running else self._final

    @cached_property
    def _final(self) -> Diagnosis:
        return self._judge()

    def _judge(self) -> Diagnosis:
        from unstuck.difficulties import diagnose

        return diagnose(self.run)

    @property
    def verdict(self) -> Verdict:
        """The run in one word and one sentence."""
        return self.diagnosis.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, most important first."""
        return self.diagnosis.findings

    def report(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the report.

        Args:
            path: File ending in ``.html``, ``.md`` or ``.json``; without it all three go to the run folder.

        Returns:
            The file, or the HTML file where all three were written.

        Raises:
            UsageError: The ending is another one.
        """
        from unstuck.report import write_report

        return write_report(self.run, self.diagnosis, path)

    def _repr_html_(self) -> str:
        from html import escape

        verdict = self.verdict
        causes = "".join(f"<li>{escape(f.sentence)}</li>" for f in self.findings if f.role == "cause")
        return f"<b>{escape(verdict.state)}</b>: {escape(verdict.sentence)}<ul>{causes}</ul>"


def watch(
    *objects: nn.Module | Optimizer,
    budget: float = BUDGET,
    floor: float = FLOOR,
    probes: bool = True,
    folder: str | os.PathLike[str] | None = None,
) -> Watch:
    """Watch the training in this process.

    Without arguments every optimizer that steps is watched, and its model found by its parameters. Objects can be given
    all the same: of optimizers that were made before this call, the first step is then measured too.

    Args:
        *objects: Models and optimizers that exist already.
        budget: Share of the run time that probes may take.
        floor: Seconds that they may take in any case.
        probes: Whether probes are taken at all.
        folder: Folder that the run's own folder is made in; by default the one of the command line, ``unstuck-runs``.

    Returns:
        The watch: a context manager, or call its ``stop``.

    Raises:
        UsageError: An object is neither a model nor an optimizer, a number is out of range, the folder cannot be made,
            or a watch is running already.

    Example:
        >>> import torch, unstuck
        >>> w = torch.zeros(1, requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> with unstuck.watch(optimizer) as run:
        ...     for _ in range(20):
        ...         optimizer.zero_grad()
        ...         ((w - 1) ** 2).sum().backward()
        ...         optimizer.step()
        >>> run.run.steps
        20
    """
    global _running
    for item in objects:
        if not isinstance(item, (nn.Module, Optimizer)):
            raise UsageError(f"watch takes models and optimizers; got {type(item).__name__}: {str(item)[:60]!r}")
    if os.environ.get("UNSTUCK_RUN_DIR"):
        raise UsageError("this program is being watched by 'unstuck run' already; take one of the two away")
    if _running is not None and _running.running:
        raise UsageError(f"a watch is running already, recording to {_running.path}; call its stop() first")
    Settings(Path(), budget, floor, probes)  # wrong numbers are refused before anything is written
    command = sys.argv if sys.argv and sys.argv[0] else ["python"]
    program = "notebook" if "ipykernel" in sys.modules else run_folder.program_name(command)
    path = run_folder.create(_base() if folder is None else Path(folder), program)
    settings = Settings(path, budget, floor, probes, os.environ.get("UNSTUCK_FAULT", ""))
    manifest.begin(settings, command, program)
    attachment = Attachment(settings, late=True)
    for item in objects:
        if isinstance(item, Optimizer):
            attachment.session.guarded("taking in an optimizer", attachment.session.optimizer_made, item)
    _running = Watch(attachment, path)
    return _running


_running: Watch | None = None


def _base() -> Path:
    from unstuck.config import read_config

    return read_config({}).dir
