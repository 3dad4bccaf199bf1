"""What ``unstuck.fix`` hands back."""

from __future__ import annotations

import io
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.fixing.judgement import judge
from unstuck.fixing.race import why_none

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis, Finding, Verdict
    from unstuck.record import Run
    from unstuck.report.trials import TrialArm, Trials

_WIDTH = 88


class FixResult:
    """A function that was watched, and what trials have proven of it. Printed, it says so as the terminal does.

    Attributes:
        path: The run folder.
        notes: What is to be known of the trials beside their outcome, in a sentence each.
    """

    def __init__(self, path: Path, notes: tuple[str, ...] = ()) -> None:
        self.path = path
        self.notes = notes

    @property
    def run(self) -> Run:
        """The record of the watched run."""
        return self._judged[0]

    @property
    def diagnosis(self) -> Diagnosis:
        """Verdict, findings and what was not measured; costs are those that trials have measured, where they have."""
        return self._judged[1]

    @property
    def verdict(self) -> Verdict:
        """The watched run in one word and one sentence."""
        return self.diagnosis.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, most important first."""
        return self.diagnosis.findings

    @cached_property
    def trials(self) -> Trials | None:
        """The trials, None where no remedy could be tried."""
        from unstuck.report.trials import trials_of

        return trials_of(self.run)

    @property
    def arms(self) -> tuple[TrialArm, ...]:
        """All that was tried, the proven first, then by how far each came."""
        return self.trials.arms if self.trials is not None else ()

    @property
    def proven(self) -> list[TrialArm]:
        """The proven arms, the best first: each with ``label``, ``speedup`` (estimate, low, high) and ``edit``."""
        return self.trials.proven if self.trials is not None else []

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

    @cached_property
    def _judged(self) -> tuple[Run, Diagnosis]:
        return judge(self.path)

    def __repr__(self) -> str:
        from unstuck.report import terminal_trials

        return f"<unstuck fix {self.path.name}: {self.verdict.state}; {terminal_trials.sentence(self.trials)}>"

    def __str__(self) -> str:
        from rich.console import Console

        from unstuck.report import terminal, terminal_trials

        text = io.StringIO()
        console = Console(
            file=text, width=_WIDTH, color_system=None, force_jupyter=False
        )  # else a notebook shows it twice
        terminal.show(self.run, self.diagnosis, console)
        terminal_trials.show(self.trials, self.diagnosis, console)
        notes = [*self.notes, *([] if self.trials is not None else [f"no trials: {why_none(self.run)}"])]
        return text.getvalue().strip("\n") + "".join(f"\n\n{note}" for note in notes)

    def _repr_html_(self) -> str:
        from html import escape

        from unstuck.report import terminal_trials
        from unstuck.report.effects import effect

        verdict = self.verdict
        arms = "".join(
            f"<li><b>{escape(arm.label)}</b> {escape(effect(arm))}: {escape(arm.edit)}</li>" for arm in self.proven
        )
        outcome = f"<ul>{arms}</ul>" if arms else f"<p>{escape(terminal_trials.sentence(self.trials))}</p>"
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<b>{escape(verdict.state)}</b>: {escape(verdict.sentence)}{outcome}{notes}"
