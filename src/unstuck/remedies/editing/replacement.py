"""One piece of a file written anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.remedies.editing.source import Source


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of a file and what is written in its place. Edits of several remedies are put together out of these.

    Attributes:
        source: The file as it is.
        begin: Where the piece begins, in bytes.
        end: Where it ends; as ``begin`` where something is put in.
        text: What is written there.
        rank: Order of what is put in at the same place: the lower first. What belongs to the block above has to come
            before what belongs to the block below.
    """

    source: Source
    begin: int
    end: int
    text: str
    rank: int = 0
