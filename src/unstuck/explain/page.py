"""The pages: one Markdown file per difficulty in ``pages/``, all with the same sections.

A page says in its second line which group the difficulty belongs to. A threshold is written as the name of its constant
in the difficulty's own file, ``{_SHARE}`` or ``{_SHARE:percent}``, so that page and judgement cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import files

from unstuck.errors import UnstuckError

#: What every page tells, in this order.
SECTIONS = (
    "What it is",
    "Formula",
    "How it is measured",
    "When the verdict can be wrong",
    "What helps",
    "Reference",
)
#: Groups in the order of the list, and what they are about.
GROUPS = {
    "step": "The length of the step",
    "surface": "The shape of the error surface",
    "depth": "The way of the signal through the layers",
    "noise": "The batches",
    "program": "The program does not do what it means to",
    "end": "When to stop",
}
_THRESHOLD = re.compile(r"\{(_[A-Z][A-Z_]*)(?::(percent))?\}")
_PAGES = files("unstuck.explain") / "pages"
_PICTURE = re.compile(r"^!\[([^\]]+)\]\(([a-z-]+)\.svg\)$", re.MULTILINE)


class PageError(UnstuckError):
    """A page does not have the form that all pages share."""


@dataclass(frozen=True)
class Page:
    """A difficulty explained.

    Attributes:
        name: The difficulty.
        markdown: The whole page, its thresholds filled in.
    """

    name: str
    markdown: str

    @cached_property
    def group(self) -> str:
        """The group of the catalogue that the difficulty belongs to."""
        return self._head[1].removeprefix("Group: ")

    @cached_property
    def summary(self) -> str:
        """What it is, in one sentence."""
        return " ".join(self._head[2].split())

    @cached_property
    def sections(self) -> dict[str, str]:
        """The Markdown of each section by its heading."""
        parts = re.split(r"^## (.+)$", self.markdown, flags=re.MULTILINE)
        return {heading: body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}

    @cached_property
    def picture(self) -> str:
        """What the picture shows, in a few words."""
        found = _PICTURE.findall(self.markdown)
        if [name for _, name in found] != [self.name]:
            raise PageError(
                f"the page of {self.name} must show the picture {self.name}.svg, once, on a line of its own"
            )
        return str(found[0][0])

    @cached_property
    def around_picture(self) -> tuple[str, str]:
        """The text of the first section before and after the picture."""
        before, *_, after = _PICTURE.split(self.sections[SECTIONS[0]], maxsplit=1)
        return before.strip(), after.strip()

    @cached_property
    def _head(self) -> list[str]:
        head = self.markdown.split("\n## ", 1)[0].strip().split("\n\n")
        if len(head) != 3 or head[0] != f"# {self.name}" or not head[1].startswith("Group: "):
            raise PageError(f"the page of {self.name} must begin with its name, its group and its summary")
        return head


def names() -> list[str]:
    """Return the difficulties that have a page, in alphabetical order."""
    return sorted(entry.name.removesuffix(".md") for entry in _PAGES.iterdir() if entry.name.endswith(".md"))


def source(name: str) -> str:
    """Return a page as it is written, its thresholds by name."""
    return _PAGES.joinpath(f"{name}.md").read_text(encoding="utf-8")


def read_page(name: str) -> Page:
    """Read a page and fill in its thresholds.

    Args:
        name: One of :func:`names`.

    Returns:
        The page.
    """
    return Page(name, _THRESHOLD.sub(lambda match: _threshold(name, match[1], match[2]), source(name)))


def thresholds(name: str) -> list[str]:
    """Return the names of the constants that a page quotes, in order."""
    return [match[1] for match in _THRESHOLD.finditer(source(name))]


def _threshold(name: str, constant: str, form: str | None) -> str:
    # Late: the difficulties bring numpy with them, and a list of names needs none.
    from unstuck.difficulties.figures import figure, percent

    module = import_module(f"unstuck.difficulties.{name.replace('-', '_')}")
    value = float(getattr(module, constant))
    return percent(value) if form == "percent" else figure(value, 3)
