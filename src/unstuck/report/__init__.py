"""Reports of a run: terminal, HTML, Markdown, JSON. They render a diagnosis and judge nothing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unstuck.errors import UsageError

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis
    from unstuck.record import Run

Format = Literal["html", "md", "json"]
FORMATS: tuple[Format, ...] = ("html", "md", "json")


def render(run: Run, diagnosis: Diagnosis, kind: str) -> str:
    """Return a report as text.

    Args:
        run: The run.
        diagnosis: What its record says.
        kind: ``html``, ``md`` or ``json``.

    Returns:
        The text of the file, ending with a line end.

    Raises:
        UsageError: There is no such kind.
    """
    # Late: the templates take longer to import than a short program takes to run.
    if kind == "html":
        from unstuck.report import html

        return html.render(run, diagnosis)
    if kind == "md":
        from unstuck.report import markdown

        return markdown.render(run, diagnosis)
    if kind == "json":
        from unstuck.report import as_json

        return json.dumps(as_json.to_json(run, diagnosis), indent=2, allow_nan=False) + "\n"
    raise UsageError(f"there is no report of kind {kind!r}; there are {', '.join(FORMATS)}")


def write_reports(run: Run, diagnosis: Diagnosis) -> dict[str, Path]:
    """Write ``report.html``, ``report.md`` and ``report.json`` into the run folder, each whole or not at all.

    Where trials have proven a remedy that a program can write, its patch is written beside them.

    Args:
        run: The run.
        diagnosis: What its record says.

    Returns:
        The paths by format: ``html``, ``md``, ``json``.

    Raises:
        OSError: The folder cannot be written.
    """
    from unstuck.report.patch import write_patch
    from unstuck.report.trials import trials_of

    write_patch(run, trials_of(run))
    texts = {kind: render(run, diagnosis, kind) for kind in FORMATS}
    return {kind: replace(run.path / f"report.{kind}", text) for kind, text in texts.items()}


def write_report(run: Run, diagnosis: Diagnosis, path: str | os.PathLike[str] | None = None) -> Path:
    """Write one report to a file, or all of them into the run folder.

    Args:
        run: The run.
        diagnosis: What its record says.
        path: File ending in ``.html``, ``.md`` or ``.json``; None for all three in the run folder.

    Returns:
        The file, or the HTML file where all three were written.

    Raises:
        UsageError: The ending is another one.
    """
    if path is None:
        return write_reports(run, diagnosis)["html"]
    target = Path(path)
    kind = target.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise UsageError(f"a report is a .html, .md or .json file; got {str(path)!r}")
    return replace(target, render(run, diagnosis, kind))


def replace(path: Path, text: str) -> Path:
    """Write a file whole or not at all: a reader sees the old one or the new one.

    Args:
        path: The file.
        text: What it will hold.

    Returns:
        The path.

    Raises:
        OSError: It cannot be written; the old one is still there.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        draft.chmod(0o644)  # mkstemp makes it private; a report is for whoever may read the folder
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise
    return path
