"""The checks in the terminal: one line each, readable on 80 columns and without colour."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from unstuck.checks.check import Check
from unstuck.record import Run
from unstuck.report import facts, words
from unstuck.report.checklist import Checklist

_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "bold red"), "not measured": ("–", "dim")}
_PLAIN = {"pass": "ok", "fail": "X", "not measured": "-"}


def show(run: Run, checklist: Checklist, console: Console, counted: Checklist | None = None) -> None:
    """Print the checks and what to do next.

    Args:
        run: The run that they were read from.
        checklist: The checks.
        console: Where to print. Text from the program is never read as markup, and cannot steer the terminal.
        counted: What is counted, where not all checks are shown.
    """
    width = max((len(check.name) for check in checklist.checks), default=0)
    for check in checklist.checks:
        _line(check, width, console)
    if checklist.remark:
        _wrapped(Text(words.clean(checklist.remark), "bold"), Text(), console)
    _wrapped(Text(summary(run, counted or checklist), "bold"), Text(), console)


def summary(run: Run, checklist: Checklist) -> str:
    """Return the last line: the count, and the next command."""
    failed, passed, missing = (checklist.count(status) for status in ("fail", "pass", "not measured"))
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{passed} passed"]
    parts += [f"{missing} not measured"] if missing else []
    command = facts.command(run)
    again = "check" if failed or not run.steps else "run"
    then = (
        f"; next: {'correct that, then ' if failed else ''}unstuck {again} -- {words.clean(command)}" if command else ""
    )
    return f"{', '.join(parts)} in {run.steps} steps ({words.duration(checklist.seconds)}){then}"


def _line(check: Check, width: int, console: Console) -> None:
    mark, style = _MARKS[check.status]
    if not _can_write(mark, console):
        mark = _PLAIN[check.status]
    start = Text.assemble(
        (mark, style), " ", (f"{check.name:<{width}}", "bold" if check.status == "fail" else ""), "  "
    )
    body = Text(words.clean(check.sentence), "dim" if check.status == "not measured" else "")
    place = words.place(check.where) if check.where is not None else ""
    if place:
        body = Text.assemble((place, "cyan"), "  ", body)
    _wrapped(body, start, console)


def _can_write(mark: str, console: Console) -> bool:
    try:
        mark.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _wrapped(body: Text, start: Text, console: Console) -> None:
    """Print ``body`` after ``start``, its further lines indented to where it began."""
    plain = body.plain.encode(console.encoding, "backslashreplace").decode(console.encoding)
    if plain != body.plain:
        body = Text(plain)
    indent = len(start.plain)
    room = max(20, console.width - indent)
    for index, line in enumerate(body.wrap(console, room, overflow="fold") or [Text()]):
        line.rstrip()
        console.print((start if index == 0 else Text(" " * indent)) + line, highlight=False, soft_wrap=True)
