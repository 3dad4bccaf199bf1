"""What a cascade is grown with; the values given here are those of the published two-spirals experiment."""

from __future__ import annotations

from dataclasses import dataclass, fields

from unstuck.errors import UsageError


class SettingError(UsageError, ValueError):
    """A setting out of its range. A ``ValueError`` too, as scikit-learn's users expect."""


_COUNTS = ("candidates", "output_epochs", "candidate_epochs")
_FROM_0 = ("max_hidden", "output_patience", "candidate_patience", "output_decay", "candidate_decay", "offset")


@dataclass(frozen=True)
class Settings:
    """The settings of S. Fahlman's public-domain program of 11/90.

    Attributes:
        max_hidden: Hidden units at most.
        candidates: Units that are trained side by side; the best becomes the next hidden unit.
        output_rate: Quickprop's epsilon for the weights of the outputs, divided by the number of cases.
        candidate_rate: The same for candidates, divided by the number of cases times that of their inputs.
        mu: A quickprop step is at most this many times the step before it.
        output_decay: Part of each output weight that is added to its slope.
        candidate_decay: The same for candidates.
        output_epochs: Epochs of an output phase at most.
        candidate_epochs: Epochs of a candidate phase at most, without the first that only measures.
        output_patience: An output phase ends after so many epochs without a change; 0: never.
        candidate_patience: The same for a candidate phase, once its score has changed at all.
        output_change: Part by which the squared error must change to count as a change.
        candidate_change: The same for the best score of the candidates.
        threshold: An output is right where it is closer than this to its target, 0 or 1; with 0 none is.
        offset: Added to the slope of the outputs' sigmoid, so that outputs do not get stuck at their extremes.
        weight_range: First weights are drawn evenly between minus and plus this.
    """

    max_hidden: int = 25
    candidates: int = 8
    output_rate: float = 1.0
    candidate_rate: float = 100.0
    mu: float = 2.0
    output_decay: float = 1e-4
    candidate_decay: float = 0.0
    output_epochs: int = 100
    candidate_epochs: int = 100
    output_patience: int = 12
    candidate_patience: int = 8
    output_change: float = 0.01
    candidate_change: float = 0.03
    threshold: float = 0.4
    offset: float = 0.1
    weight_range: float = 1.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            least = 1 if one.name in _COUNTS else 0
            if not value >= least:
                raise SettingError(f"{one.name} is {value!r}; it must be {least} or more")
        for name in ("output_rate", "candidate_rate", "mu", "weight_range"):
            if not getattr(self, name) > 0:
                raise SettingError(f"{name} is {getattr(self, name)!r}; it must be more than 0")
