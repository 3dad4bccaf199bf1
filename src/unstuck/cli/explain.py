"""``unstuck explain``: what a difficulty is."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from unstuck.errors import UsageError
from unstuck.explain import Page, names, read_page

if TYPE_CHECKING:
    from rich.console import Console


class Explain:
    """Explain a difficulty: what it is, how it is measured, when the verdict can be wrong, and what helps.

    Without a name, all difficulties are listed, each with one sentence.
    """

    name = "explain"
    examples = """\
examples:
  unstuck explain                                 all difficulties, with a sentence each
  unstuck explain vanishing-gradient
  unstuck explain saddle --markdown > saddle.md
  unstuck explain saddle --json | jq -r '.sections["What helps"]'
"""

    def prepare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("which", metavar="NAME", nargs="?", help="name of a difficulty (default: list them all)")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--markdown", action="store_true", help="print the page as Markdown")
        form.add_argument("--json", action="store_true", help="print it as JSON, section by section")

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the page, or the list.

        Args:
            arguments: The command line.

        Returns:
            0.

        Raises:
            UsageError: There is no such difficulty.
        """
        if arguments.which is None:
            _list([read_page(name) for name in names()], arguments)
            return 0
        page = read_page(_find(arguments.which))
        if arguments.markdown:
            sys.stdout.write(page.markdown)
        elif arguments.json:
            print(json.dumps({**_brief(page), "sections": page.sections}, indent=1))
        else:
            from unstuck.explain.terminal import show

            _print(lambda console: show(page, console))
        return 0


def _list(pages: list[Page], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps([_brief(page) for page in pages], indent=1))
    elif arguments.markdown:
        from unstuck.explain.docs import index

        sys.stdout.write(index(pages))
    else:
        from unstuck.explain.terminal import show_all

        # A pipe has no width: there every difficulty stays on one line, so that grep finds it whole.
        _print(lambda console: show_all(pages, console), None if sys.stdout.isatty() else 1000)


def _brief(page: Page) -> dict[str, str]:
    return {"name": page.name, "group": page.group, "summary": page.summary}


def _find(wanted: str) -> str:
    """Return the name that is meant: case, blanks and underscores do not matter."""
    import difflib  # late: every command imports this file

    known = names()
    plain = "-".join(wanted.lower().replace("_", " ").split())
    if plain in known:
        return plain
    near = [name for name in known if plain and plain in name] or difflib.get_close_matches(plain, known, 3, 0.5)
    advice = f"; did you mean {' or '.join(near[:3])}?" if near else ";"
    raise UsageError(f"there is no difficulty {wanted!r}{advice} 'unstuck explain' lists all")


def _print(show: Callable[[Console], None], width: int | None = None) -> None:
    from rich.console import Console

    console = Console(width=width)
    with console.capture() as capture:
        show(console)
    text = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    text = re.sub(r"\n{3,}", "\n\n", text)  # rich sets lists off with more than one empty line
    if console.options.ascii_only:
        text = text.replace("•", "-")
    # A terminal that cannot write a character gets its escape.
    sys.stdout.write(text.encode(console.encoding, "backslashreplace").decode(console.encoding))
