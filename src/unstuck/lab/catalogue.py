"""All experiments, in the order of the list."""

from __future__ import annotations

from unstuck.lab.experiment import Experiment
from unstuck.lab.exploding import Exploding
from unstuck.lab.initialisation import Initialisation
from unstuck.lab.momentum import Momentum
from unstuck.lab.saturation import Saturation
from unstuck.lab.step_size import StepSize

#: One line per experiment.
EXPERIMENTS: tuple[Experiment, ...] = (
    Exploding(),
    StepSize(),
    Saturation(),
    Initialisation(),
    Momentum(),
)
