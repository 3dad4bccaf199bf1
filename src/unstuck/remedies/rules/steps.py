"""Remedies for steps that do not fit the error surface, and for the places where they come to rest."""

from __future__ import annotations

from unstuck.difficulties.finding import Finding
from unstuck.record import Run
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.input_scaling import ScaleInputs
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.rules.optimizers import other_optimizers
from unstuck.remedies.rules.program import digits
from unstuck.remedies.rules.rule import Arms
from unstuck.remedies.rules.signal import initialisation
from unstuck.remedies.schedule import Schedule
from unstuck.remedies.sites import hidden
from unstuck.remedies.target_scaling import ScaleTargets
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.remedies.widening import Widen


def larger_steps(run: Run, finding: Finding) -> Arms:
    """Propose larger steps, by powers of ten."""
    for factor in (10.0, 100.0, 1000.0):  # the race goes on from the best of them
        yield (LearningRate(factor),)
    yield from other_optimizers(run)


def smaller_steps(run: Run, finding: Finding) -> Arms:
    """Propose smaller steps, by powers of ten, and what bounds them."""
    for factor in (0.1, 0.01, 0.001):
        yield (LearningRate(factor),)
    yield (Clipping(1.0),)
    yield (Schedule("constant", 0.1),)


def saddle(run: Run, finding: Finding) -> Arms:
    """Propose what leaves a saddle sooner."""
    if run.main_optimizer.name == "SGD" and not run.main_optimizer.groups[0].get("momentum"):
        yield (LearningRate(10.0), Momentum(0.9))
    yield (LearningRate(10.0),)
    yield from other_optimizers(run)
    yield (initialisation(run),)
    yield (LearningRate(30.0),)
    yield from without_decay(run, finding)
    yield from _wider(run)


def flat_region(run: Run, finding: Finding) -> Arms:
    """Propose what leads out of a flat region, or past it."""
    yield (ScaleInputs(),)
    yield (ScaleInputs(), ScaleTargets())
    yield (initialisation(run),)
    yield from other_optimizers(run)
    yield (LearningRate(10.0),)
    yield from _wider(run)


def without_decay(run: Run, finding: Finding) -> Arms:
    """Propose no weight decay, or little."""
    decay = max((float(group.get("weight_decay") or 0.0) for group in run.main_optimizer.groups), default=0.0)
    if decay > 0:
        yield (WeightDecay(0.0),)
        if finding.difficulty == "weight-decay-too-strong":
            yield (WeightDecay(decay / 50),)


def not_finite(run: Run, finding: Finding) -> Arms:
    """Propose more digits and smaller steps."""
    yield from digits(run, finding)
    yield from smaller_steps(run, finding)


def _wider(run: Run) -> Arms:
    """More units leave fewer flat places to be caught in; last, since a step then costs more."""
    if any(layer.kind in ("linear", "conv") for layer in hidden(run)):
        yield (Widen(2),)
