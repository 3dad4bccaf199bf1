"""What a picture hands to the page: one drawing for wide and one for narrow windows, and words for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Widths of the two drawings. Text keeps its size, so a narrow window gets a drawing of its own and not a shrunken one.
WIDE, NARROW = 960.0, 344.0


@dataclass(frozen=True)
class Key:
    """An entry of a legend: the class that draws the line, and what it stands for."""

    class_: str
    label: str


@dataclass(frozen=True)
class Table:
    """The numbers of a picture for those who would rather read them; the first cell of a row is its heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A drawing with its title, a caption that says how to read it, a legend, and perhaps its numbers."""

    name: str
    title: str
    caption: str
    drawings: tuple[str, str]
    keys: tuple[Key, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Missing:
    """A picture that cannot be drawn, and the reason in a sentence."""

    title: str
    why: str


def both(draw: Callable[[str, float], str], name: str) -> tuple[str, str]:
    """Return the wide and the narrow drawing of ``draw(name, width)``."""
    return draw(f"{name}-wide", WIDE), draw(f"{name}-narrow", NARROW)
