"""All experiments, in the order of the list."""

from __future__ import annotations

from unstuck.lab.depth_accuracy import DepthAccuracy
from unstuck.lab.depth_curves import DepthCurves
from unstuck.lab.depth_speed import DepthSpeed
from unstuck.lab.experiment import Experiment
from unstuck.lab.exploding import Exploding
from unstuck.lab.parity import Parity
from unstuck.lab.step_size import StepSize
from unstuck.lab.two_spirals import TwoSpirals

#: One line per experiment.
EXPERIMENTS: tuple[Experiment, ...] = (
    Exploding(),
    DepthAccuracy(),
    DepthSpeed(),
    DepthCurves(),
    StepSize(),
    TwoSpirals(),
    Parity(),
)
