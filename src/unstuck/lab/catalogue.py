"""All experiments, in the order of the list."""

from __future__ import annotations

from unstuck.lab.associative_memory import AssociativeMemory
from unstuck.lab.batch import Batch
from unstuck.lab.depth_accuracy import DepthAccuracy
from unstuck.lab.depth_curves import DepthCurves
from unstuck.lab.depth_power import DepthPower
from unstuck.lab.depth_speed import DepthSpeed
from unstuck.lab.edge_of_stability import EdgeOfStability
from unstuck.lab.encoder import Encoder
from unstuck.lab.experiment import Experiment
from unstuck.lab.exploding import Exploding
from unstuck.lab.herd import Herd
from unstuck.lab.initialisation import Initialisation
from unstuck.lab.momentum import Momentum
from unstuck.lab.moving_target import MovingTarget
from unstuck.lab.parity import Parity
from unstuck.lab.saturation import Saturation
from unstuck.lab.slow_code import SlowCode
from unstuck.lab.step_size import StepSize
from unstuck.lab.surface import Surface
from unstuck.lab.two_spirals import TwoSpirals
from unstuck.lab.valley import Valley

#: One line per experiment.
EXPERIMENTS: tuple[Experiment, ...] = (
    DepthAccuracy(),
    DepthSpeed(),
    DepthCurves(),
    Exploding(),
    StepSize(),
    Valley(),
    EdgeOfStability(),
    Batch(),
    Surface(),
    MovingTarget(),
    Herd(),
    TwoSpirals(),
    Parity(),
    Encoder(),
    Saturation(),
    Initialisation(),
    Momentum(),
    DepthPower(),
    AssociativeMemory(),
    SlowCode(),
)
