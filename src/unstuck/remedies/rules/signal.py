"""Remedies for a signal that fades or grows on its way through the layers."""

from __future__ import annotations

from unstuck.difficulties.finding import Finding
from unstuck.record import Run
from unstuck.remedies.activation import Activation
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.initialisation import Initialise
from unstuck.remedies.input_scaling import ScaleInputs
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.normalisation import Normalise
from unstuck.remedies.rules.optimizers import other_optimizers
from unstuck.remedies.rules.rule import Arms
from unstuck.remedies.target_scaling import ScaleTargets

#: Activations that are flat at an end or at both.
SATURATING = ("sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign")


def signal(run: Run, finding: Finding) -> Arms:
    """Remedies for a signal that fades or grows on its way through the layers."""
    yield (initialisation(run),)
    yield (Initialise("lsuv"),)
    if any(layer.activation in SATURATING for layer in run.layers):
        yield (Activation("relu"), Initialise("he"))
    yield (Normalise("batch"),)
    yield from other_optimizers(run)


def growth(run: Run, finding: Finding) -> Arms:
    """Propose what keeps a gradient from growing from layer to layer."""
    yield (initialisation(run),)
    yield (Clipping(1.0),)
    yield (Initialise("lsuv"),)
    yield (LearningRate(0.1),)
    yield (Normalise("batch"),)


def start(run: Run, finding: Finding) -> Arms:
    """Propose other first weights."""
    yield (initialisation(run),)
    yield (Initialise("default"),)
    yield (Initialise("lsuv"),)
    yield (Normalise("batch"),)


def dead_units(run: Run, finding: Finding) -> Arms:
    """Propose what lets rectifiers come to life."""
    yield (Initialise("he"),)
    yield (LearningRate(0.1),)
    yield (Activation("leaky_relu"),)
    yield (Activation("leaky_relu"), LearningRate(0.1))
    yield (Initialise("he"), LearningRate(0.1))


def saturated_units(run: Run, finding: Finding) -> Arms:
    """Propose what brings units back from their flat ends."""
    yield (initialisation(run),)
    yield (ScaleInputs(),)
    yield (Normalise("batch"),)
    yield (Activation("relu"), Initialise("he"))


def scales(run: Run, finding: Finding) -> Arms:
    """Propose scaled inputs, and targets where the finding is about them."""
    if "target" in finding.sentence.lower():
        yield (ScaleTargets(),)
        yield (ScaleTargets(), LearningRate(10.0))
    yield (ScaleInputs(),)
    yield (ScaleInputs(), LearningRate(10.0))
    yield (ScaleInputs(), ScaleTargets())


def initialisation(run: Run) -> Initialise:
    """Return the initialisation that fits the activations: Glorot for those that saturate, else He."""
    names = [layer.activation for layer in run.layers if layer.activation]
    saturating = sum(name in SATURATING for name in names)
    return Initialise("glorot" if names and saturating > len(names) / 2 else "he")
