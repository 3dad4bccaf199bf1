"""Other optimizers than the program's, where they fit the run."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.difficulties.diagnosis import cases_of
from unstuck.record import Run
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.remedy import Remedy

#: Optimizers whose steps do not shrink with the gradient.
_ADAPTIVE = (
    "Adam",
    "AdamW",
    "NAdam",
    "RAdam",
    "Adamax",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Rprop",
    "Muon",
    "Adafactor",
)
#: Learning rate that Adam is tried with: torch's default.
_ADAM = 1e-3
#: The same for the first steps of Rprop, which finds its own from there on.
_RPROP = 1e-2


def other_optimizers(run: Run) -> Iterator[tuple[Remedy, ...]]:
    """Propose Adam in the place of gradient descent, and momentum where there is none; what else fits the run first.

    Gradient descent is not proposed in the place of Adam: the record does not say at which rate, and a rate that Adam's
    steps fit would have to be searched for, arm by arm.
    """
    optimizer = run.main_optimizer
    if optimizer.name == "LBFGS":
        return
    if optimizer.name != "Rprop" and _full_batch(run):
        yield (Exchange("Rprop", _RPROP),)  # it goes by signs, which batches that change would flip
    if optimizer.name == "Adam" and any(group.get("weight_decay") for group in optimizer.groups):
        yield (Exchange("AdamW"),)  # Adam divides the decay by the gradient's size too
    if optimizer.name in _ADAPTIVE:
        return
    yield (Exchange("Adam", _ADAM),)
    if optimizer.name == "SGD" and not optimizer.groups[0].get("momentum"):
        yield (Momentum(0.9),)


def _full_batch(run: Run) -> bool:
    """Whether every step of the main optimizer sees the same data, as far as the probes show."""
    return any(case.full_batch for case in cases_of(run) if case.optimizer.index == run.main_optimizer.index)
