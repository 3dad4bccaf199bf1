"""Reports of a run: terminal, HTML, Markdown, JSON. They render a diagnosis and judge nothing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from unstuck.difficulties.finding import Diagnosis
from unstuck.record import Run
from unstuck.report import as_json, html, markdown


def write_reports(run: Run, diagnosis: Diagnosis) -> dict[str, Path]:
    """Write ``report.html``, ``report.md`` and ``report.json`` into the run folder, each whole or not at all.

    Args:
        run: The run.
        diagnosis: What its record says.

    Returns:
        The paths by format: ``html``, ``md``, ``json``.

    Raises:
        OSError: The folder cannot be written.
    """
    data = json.dumps(as_json.to_json(run, diagnosis), indent=2, allow_nan=False) + "\n"
    texts = {"html": html.render(run, diagnosis), "md": markdown.render(run, diagnosis), "json": data}
    return {name: _replace(run.path / f"report.{name}", text) for name, text in texts.items()}


def _replace(path: Path, text: str) -> Path:
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
