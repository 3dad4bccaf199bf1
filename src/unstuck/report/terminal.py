"""The report in the terminal: short, readable on 80 columns and without colour."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from unstuck.difficulties.finding import Diagnosis, Finding, State
from unstuck.explain import names
from unstuck.record import Run
from unstuck.report import words
from unstuck.report.outline import Entry, Outline, outline

_STYLES: dict[State, str] = {
    "healthy": "bold green",
    "converged": "bold green",
    "unknown": "bold",
    "slow": "bold yellow",
    "stuck": "bold red",
    "diverged": "bold red",
    "wrong": "bold magenta",
}
_MOST_CAUSES, _MOST_REMEDIES, _MOST_SYMPTOMS, _MOST_MISSING = 3, 2, 3, 2


def show(run: Run, diagnosis: Diagnosis, console: Console) -> None:
    """Print the report.

    Args:
        run: The run.
        diagnosis: What its record says.
        console: Where to print. Text from the program is never read as markup, and cannot steer the terminal.
    """
    findings = outline(diagnosis)
    verdict = diagnosis.verdict
    console.print()
    put(console, (f"{verdict.state.upper()}  ", _STYLES[verdict.state]), Text(words.clean(verdict.sentence), "bold"))
    for entry in findings.causes[:_MOST_CAUSES]:
        console.print()
        _cause(entry, console)
    rest = list(_rest(findings))
    if rest:
        console.print()
    for label, body in rest:
        put(console, (label, "dim"), body)
    console.print()
    for name, text in _foot(run, diagnosis, findings):
        put(console, (f"{name:<14}", "dim"), Text(words.clean(text)))


def _cause(entry: Entry, console: Console) -> None:
    finding = entry.finding
    cost = f"  {words.cost(finding.cost)}" if finding.cost else ""
    put(console, (f"{entry.number}  ", ""), Text(words.clean(finding.difficulty) + cost, "bold"))
    if words.place(finding.where):
        put(console, ("   ", ""), Text(words.place(finding.where), "cyan"))
    put(console, ("   ", ""), Text(words.clean(finding.sentence)))
    for label, remedy in zip(("   try  ", "   or   "), finding.remedies[:_MOST_REMEDIES], strict=False):
        put(console, (label, "green"), Text(words.clean(remedy)))
    for symptom in entry.symptoms[:_MOST_SYMPTOMS]:
        put(console, ("   explains  ", "dim"), _brief(symptom.finding))
    if len(entry.symptoms) > _MOST_SYMPTOMS:
        put(console, ("   ", ""), Text(f"and {len(entry.symptoms) - _MOST_SYMPTOMS} more symptoms", "dim"))


def _rest(findings: Outline) -> Iterator[tuple[str, Text]]:
    if len(findings.causes) > _MOST_CAUSES:
        more = findings.causes[_MOST_CAUSES:]
        yield "also a cause  ", Text(", ".join(words.clean(e.finding.difficulty) for e in more))
    for label, entries in (("symptom", findings.symptoms), ("note", findings.notes)):
        for entry in entries[:_MOST_SYMPTOMS]:
            yield f"{label}  ", _brief(entry.finding)
        if len(entries) > _MOST_SYMPTOMS:
            yield f"and {len(entries) - _MOST_SYMPTOMS} more {label}s", Text()


def _brief(finding: Finding) -> Text:
    place = words.place(finding.where)
    text = Text.assemble((words.clean(finding.difficulty), "bold"), (f" {place}" if place else "", "cyan"))
    return text.append(f": {words.clean(finding.sentence)}")


def _foot(run: Run, diagnosis: Diagnosis, findings: Outline) -> Iterator[tuple[str, str]]:
    missing = diagnosis.not_measured
    if missing:
        more = f"; and {len(missing) - _MOST_MISSING} more" if len(missing) > _MOST_MISSING else ""
        yield "not measured", "; ".join(f"{m.what} ({m.why})" for m in missing[:_MOST_MISSING]) + more
    for error in run.errors[:1]:
        more = f" and {len(run.errors) - 1} more" if len(run.errors) > 1 else ""
        yield "fault", f"unstuck failed in {error.get('where')} at step {error.get('step')}{more}; the training went on"
    overhead = diagnosis.overhead
    yield "unstuck took", f"{words.duration(overhead.seconds)}, {words.percent(overhead.fraction)} of the run"
    yield "report", _nearest(run.path / "report.html")
    yield "again", f"unstuck report {shlex.quote(run.path.name)}"
    for entry in findings.causes[:1]:
        if entry.finding.difficulty in names():
            yield "more", f"unstuck explain {entry.finding.difficulty}"


def _nearest(path: Path) -> str:
    """The shorter of the path from here and the path as it is."""
    try:
        return min(str(path), os.path.relpath(path), key=len)
    except ValueError:  # another drive
        return str(path)


def put(console: Console, label: tuple[str, str], body: Text) -> None:
    """Print ``body`` after ``label``, its further lines indented to where it began; words too long are folded."""
    # A terminal that cannot write a character of the program's gets its escape.
    body.plain = body.plain.encode(console.encoding, "backslashreplace").decode(console.encoding)
    room = max(20, console.width - len(label[0]))
    for index, line in enumerate(body.wrap(console, room, overflow="fold") or [Text()]):
        line.rstrip()
        start = Text(*label) if index == 0 else Text(" " * len(label[0]))
        console.print(start + line, highlight=False, soft_wrap=True)
