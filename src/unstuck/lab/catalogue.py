"""All experiments, in the order of the list."""

from __future__ import annotations

from unstuck.lab.associative_memory import AssociativeMemory
from unstuck.lab.depth_power import DepthPower
from unstuck.lab.encoder import Encoder
from unstuck.lab.experiment import Experiment
from unstuck.lab.exploding import Exploding
from unstuck.lab.herd import Herd
from unstuck.lab.moving_target import MovingTarget
from unstuck.lab.step_size import StepSize

#: One line per experiment.
EXPERIMENTS: tuple[Experiment, ...] = (
    Exploding(),
    StepSize(),
    Encoder(),
    Herd(),
    MovingTarget(),
    DepthPower(),
    AssociativeMemory(),
)
