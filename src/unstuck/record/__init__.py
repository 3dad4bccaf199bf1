"""The run folder: writer, reader, schema. Everything left of it only writes, everything right of it only reads."""

from __future__ import annotations

from unstuck.record.reader import LayerInfo as LayerInfo
from unstuck.record.reader import OptimizerInfo as OptimizerInfo
from unstuck.record.reader import Probe as Probe
from unstuck.record.reader import Pulse as Pulse
from unstuck.record.reader import Run as Run
from unstuck.record.reader import read_run as read_run
