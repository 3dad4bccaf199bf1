"""A small SVG builder: elements in, escaped text out. Colours come from the page's style sheet through classes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from unstuck.report.words import clean

#: Width of one character as a share of the font size, on the wide side, so that reserved room is never too small.
CHARACTER = 0.64
FONT = 12.0


def text_width(text: str, size: float = FONT) -> float:
    """Return about how wide ``text`` is in a system font, in the units of the picture."""
    return len(text) * size * CHARACTER


class Svg:
    """One picture in the making.

    Args:
        name: Unique in the page; names the elements that a screen reader is pointed to.
        width: Width in units; the page shows one unit as one pixel where there is room.
        height: Height in the same units.
    """

    def __init__(self, name: str, width: float, height: float) -> None:
        self.name, self.width, self.height = name, width, height
        self._parts: list[str] = []

    def add(self, tag: str, text: str = "", /, **attributes: object) -> None:
        """Append an element; ``class_`` and ``stroke_width`` stand for ``class`` and ``stroke-width``."""
        written = "".join(
            f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"' for key, value in attributes.items()
        )
        self._parts.append(f"<{tag}{written}>{escape(clean(text))}</{tag}>" if text else f"<{tag}{written}/>")

    def text(self, x: float, y: float, text: str, anchor: str = "start", class_: str = "") -> None:
        """Write a line of text; ``anchor`` is ``start``, ``middle`` or ``end``."""
        attributes = {"class_": class_} if class_ else {}
        self.add("text", text, x=x, y=y, text_anchor=anchor, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        """Draw a straight line."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)

    def path(self, points: Sequence[tuple[float, float] | None], class_: str) -> None:
        """Draw a line through ``points``; ``None`` lifts the pen, and a point alone becomes a dot."""
        steps: list[str] = []
        down = False
        for index, point in enumerate(points):
            if point is None:
                down = False
                continue
            last = index + 1 == len(points) or points[index + 1] is None
            steps.append(
                f"{'L' if down else 'M'}{_plain(point[0])} {_plain(point[1])}{'' if down or not last else 'h.1'}"
            )
            down = True
        if steps:
            self.add("path", d="".join(steps), class_=class_)

    def render(self, title: str, description: str, class_: str = "") -> str:
        """Return the picture as markup, with the title and description that a screen reader speaks."""
        label = f"{self.name}-t {self.name}-d"
        return (
            f'<svg class="{escape(class_)}" viewBox="0 0 {_plain(self.width)} {_plain(self.height)}" role="img" '
            f'aria-labelledby="{escape(label)}"><title id="{escape(self.name)}-t">{escape(clean(title))}</title>'
            f'<desc id="{escape(self.name)}-d">{escape(clean(description))}</desc>{"".join(self._parts)}</svg>'
        )


def _plain(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
