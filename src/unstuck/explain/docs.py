"""The pages as files of the documentation: Markdown, pictures and an index, all made from the one source."""

from __future__ import annotations

from pathlib import Path

from unstuck.explain.drawing import to_svg
from unstuck.explain.page import GROUPS, Page, names, read_page
from unstuck.explain.pictures import PICTURES

_MADE = "<!-- Made by 'python -m unstuck.explain --docs docs/difficulties' from src/unstuck/explain/pages. -->"


def documents() -> dict[str, str]:
    """Return the text of every file of the documentation's folder, by its name."""
    pages = [read_page(name) for name in names()]
    found = {"index.md": index(pages)}
    for page in pages:
        found[f"{page.name}.md"] = f"{page.markdown}\n[All difficulties](index.md)\n\n{_MADE}\n"
        found[f"{page.name}.svg"] = to_svg(PICTURES[page.name](), page.name, page.picture)
    return found


def index(pages: list[Page]) -> str:
    """Return the list of all difficulties by group, as Markdown.

    Args:
        pages: All pages.

    Returns:
        The text.
    """
    lines = ["# Difficulties", "", "What each is, how it is measured, when the verdict can be wrong, and what helps."]
    lines += ["In a terminal: `unstuck explain NAME`.", ""]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| [`{p.name}`]({p.name}.md) | {p.summary} |" for p in pages if p.group == group]
        lines.append("")
    return "\n".join([*lines, _MADE, ""])


def write(folder: Path) -> list[Path]:
    """Write all files of the documentation.

    Args:
        folder: Where to; made if it is not there.

    Returns:
        The files, as written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents().items():
        written.append(folder / name)
        written[-1].write_text(text, encoding="utf-8")
    return written
