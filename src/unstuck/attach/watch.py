"""``unstuck.watch``: the same watching from inside a program, for notebooks and tests."""

from __future__ import annotations

import atexit
import json
import os
import sys
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer

from unstuck.attach import Attachment
from unstuck.errors import UsageError
from unstuck.record import Run, read_run
from unstuck.record.folder import new_run_folder, write_manifest
from unstuck.settings import Settings

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis, Finding, Verdict


class Watch:
    """A running or finished watch. As a context manager it ends with the block; else call :meth:`stop`.

    Attributes:
        path: The run folder.
    """

    def __init__(self, attachment: Attachment, path: Path) -> None:
        self._attachment = attachment
        self.path = path
        atexit.register(self.stop)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.stop()
        else:
            self._attachment.end("exception", f"{kind.__name__}: {value}"[:500])

    def stop(self) -> Watch:
        """End the watch and take every hook out of torch; a second call does nothing."""
        self._attachment.end()
        return self

    @property
    def run(self) -> Run:
        """The record, as far as it was written by now."""
        return read_run(self.path)

    @property
    def diagnosis(self) -> Diagnosis:
        """Verdict, findings and what was not measured, judged from the record as far as it was written by now."""
        return self._final if self._attachment.ended else self._judge()

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
        from unstuck.report import render, write_reports

        if path is None:
            return write_reports(self.run, self.diagnosis)["html"]
        target = Path(path)
        kind = target.suffix.lstrip(".").lower()
        if kind not in ("html", "md", "json"):
            raise UsageError(f"a report is a .html, .md or .json file; got {str(path)!r}")
        target.write_text(render(self.run, self.diagnosis, kind), encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        from html import escape

        verdict = self.verdict
        causes = "".join(f"<li>{escape(f.sentence)}</li>" for f in self.findings if f.role == "cause")
        return f"<b>{escape(verdict.state)}</b>: {escape(verdict.sentence)}<ul>{causes}</ul>"


def watch(
    *objects: nn.Module | Optimizer,
    budget: float = Settings.budget,  # type: ignore[assignment]
    floor: float = Settings.floor,  # type: ignore[assignment]
    probes: bool = True,
    folder: str | os.PathLike[str] | None = None,
) -> Watch:
    """Watch the training in this process.

    Without arguments every optimizer that steps is watched, and its model found by its parameters. Objects can be given all
    the same: then their first step is measured too, where they were made before this call.

    Args:
        *objects: Models and optimizers that exist already.
        budget: Share of the run time that probes may take.
        floor: Seconds that they may take in any case.
        probes: Whether probes are taken at all.
        folder: Run folder to make; by default a new one in ``unstuck-runs``.

    Returns:
        The watch: a context manager, or call its ``stop``.

    Raises:
        UsageError: An object is neither a model nor an optimizer, the folder exists, or a watch is running already.

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
    if _running is not None and not _running._attachment.ended:
        raise UsageError(f"a watch is running already, recording to {_running.path}; call its stop() first")
    path = new_run_folder(_program_name(), folder)
    settings = Settings(path, budget, floor, probes)
    write_manifest(path, _manifest(settings))
    attachment = Attachment(settings, late=True)
    for item in objects:
        if isinstance(item, Optimizer):
            attachment.session.guarded("taking in an optimizer", attachment.session.optimizer_made, item)
    _running = Watch(attachment, path)
    return _running


_running: Watch | None = None


def _program_name() -> str:
    name = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-c") else "python"
    return "notebook" if "ipykernel" in sys.modules else name


def _manifest(settings: Settings) -> dict[str, Any]:
    return {
        "command": json.loads(json.dumps(sys.argv)),
        "cwd": os.getcwd(),
        "program": _program_name(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "budget": settings.budget,
        "floor": settings.floor,
        "probes": settings.probes,
    }
