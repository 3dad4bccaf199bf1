"""A page, and the list of all pages, in the terminal: as wide as there is room, without colour where nobody sees it."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown, MarkdownElement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unstuck.explain.braille import to_text
from unstuck.explain.page import GROUPS, SECTIONS, Page
from unstuck.explain.pictures import PICTURES

#: Longer lines are hard to read.
_WIDEST = 100
_NARROWEST = 30


class _Formula(CodeBlock):
    """Formulas as they are written, set in a little: no box, no background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Padding(Text(str(self.text).rstrip()), (0, 0, 0, 2))


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "fence": _Formula}


def show(page: Page, console: Console) -> None:
    """Print a page with its picture.

    Args:
        page: The page.
        console: Where to print.
    """
    width = max(_NARROWEST, min(console.width, _WIDEST))
    console.print(Text(page.name, "bold"), Text(f"  ({page.group})", "dim"), sep="", end="\n\n")
    _print(page.summary, console, width)
    for heading in SECTIONS:
        console.print()
        console.print(Text(heading, "bold underline"), end="\n\n")
        if heading != SECTIONS[0]:
            _print(page.sections[heading], console, width)
            continue
        before, after = page.around_picture
        _print(before, console, width)
        console.print()
        for line in to_text(PICTURES[page.name](), width, plain=console.options.ascii_only):
            console.print(line, soft_wrap=True, highlight=False)
        console.print()
        _print(after, console, width)


def show_all(pages: list[Page], console: Console) -> None:
    """Print the list of all pages by group, each with its summary.

    Args:
        pages: The pages.
        console: Where to print.
    """
    longest = max(len(page.name) for page in pages)
    for group, title in GROUPS.items():
        console.print(Text(title, "bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=longest + 2, no_wrap=True)
        table.add_column(overflow="fold")
        for page in (page for page in pages if page.group == group):
            table.add_row(Text(f"  {page.name}", "cyan"), Text(page.summary))
        console.print(table)
        console.print()
    console.print("'unstuck explain NAME' says more about one.", highlight=False, soft_wrap=True)


def _print(markdown: str, console: Console, width: int) -> None:
    console.print(_Markdown(markdown, hyperlinks=False), width=width)
