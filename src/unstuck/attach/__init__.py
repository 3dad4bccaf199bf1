"""How a run is seen: hooks, the replayable step, the budget. Knows torch's internals; judges nothing.

The launcher lives here too and needs no torch, so the public names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.attach.attachment import Attachment as Attachment
    from unstuck.attach.attachment import install as install

_PUBLIC = frozenset({"Attachment", "install"})


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from unstuck.attach import attachment

    return getattr(attachment, name)
