"""The run folder: writer, reader, schema. Everything left of it only writes, everything right of it only reads.

The writing side does without numpy, so the reader is imported when one of its names is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.record.reader import LayerInfo as LayerInfo
    from unstuck.record.reader import OptimizerInfo as OptimizerInfo
    from unstuck.record.reader import Probe as Probe
    from unstuck.record.reader import Pulse as Pulse
    from unstuck.record.reader import Run as Run
    from unstuck.record.reader import read_run as read_run

_PUBLIC = frozenset({"LayerInfo", "OptimizerInfo", "Probe", "Pulse", "Run", "read_run"})


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from unstuck.record import reader

    return getattr(reader, name)
