"""What is worth a try on any run whose program is right."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.record import Run
from unstuck.remedies.activation import Activation
from unstuck.remedies.initialisation import Initialise
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.rules.optimizers import other_optimizers
from unstuck.remedies.rules.signal import SATURATING
from unstuck.remedies.schedule import Schedule


def always_worth_a_try(run: Run) -> Iterator[tuple[Remedy, ...]]:
    """Propose other rates, another optimizer, a schedule; and what replaces layers that saturate."""
    yield (LearningRate(3.0),)
    yield (LearningRate(1 / 3),)
    yield from other_optimizers(run)
    yield (Schedule("cosine", 0.05),)
    if sum(layer.activation in SATURATING for layer in run.layers) > 1:
        # Rectifiers do not shrink the gradient, so that the rate that was right for the others is too large for them.
        yield (Activation("relu"), Initialise("he"), LearningRate(1 / 3))
